// `pushbench baseline`: what a repository keeps, and what a CI job does with it.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { readBaseline, writeBaseline } from '../../core/comparison/baseline.ts';
import type { Result } from '../../core/result/result.ts';
import { runSetOf } from '../../core/comparison/run-set.ts';
import { fixtureResult } from '../reports/fixture.ts';
import { call, start, temporaryFolder } from './tools.ts';

function sse(at: number, missed = 0, gate = ''): Result {
  const result = fixtureResult({ repeat: 3, measureS: 2 });
  result.scenario.source += gate;
  result.trials = result.trials.filter(({ variant }) => variant.label === 'sse');
  for (const [i, trial] of result.trials.entries()) {
    trial.startedAt = new Date(Date.UTC(2026, 0, 2, at, i)).toISOString();
    if (trial.outcome.status === 'completed') trial.outcome.ledger.missed = missed;
  }
  return result;
}

test("save, list, check: lost deliveries fail by what the candidate's scenario gates on", async (t) => {
  const folder = temporaryFolder(t);
  const write = (name: string, result: Result) => writeFileSync(join(folder, name), JSON.stringify(result));
  write('base.json', sse(10));
  write('lossy.json', sse(11, 4));
  write('tolerant.json', sse(11, 4, 'gate: { missed: off }\n'));
  const saved = await start(['baseline', 'save', 'main', 'base.json'], folder).ended;
  assert.equal(saved.code, 0, saved.stderr);
  assert.match(
    saved.stdout,
    /Saved 3 runs of 1 variant of compare as baselines\/main\.json \([\d,]+ bytes\)/,
  );
  const text = readFileSync(join(folder, 'baselines/main.json'), 'utf8');
  assert.ok(text.length < 4000, `${text.length} bytes for three runs`);
  const list = await call(['baseline', 'list'], folder);
  assert.match(
    list.stdout,
    /^main {2}compare, 3 runs of 1 variant, measured 2026-01-02 10:00 on Example CPU at abc1234\n$/,
  );
  const checked = await call(
    ['baseline', 'check', 'main', 'lossy.json', '--junit', 'x.xml', '--html', 'x.html'],
    folder,
  );
  assert.equal(checked.code, 5, checked.stderr);
  assert.match(checked.stdout, /Worse, lossy\.json against main: sse: missed 4 per run where it was 0/);
  assert.match(readFileSync(join(folder, 'x.xml'), 'utf8'), /failures="1"/);
  const tolerated = await call(['baseline', 'check', 'main', 'tolerant.json'], folder);
  assert.equal(tolerated.code, 0, tolerated.stdout);
});

test('mistakes are named with what to do', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'base.json'), JSON.stringify(sse(10)));
  writeFileSync(
    join(folder, 'bad.json'),
    JSON.stringify({
      ...sse(10),
      trials: sse(10).trials.map((trial) => ({ ...trial, outcome: { ...trial.outcome, valid: false } })),
    }),
  );
  mkdirSync(join(folder, 'baselines'));
  writeFileSync(join(folder, 'baselines/broken.json'), '{');
  writeFileSync(join(folder, 'baselines/other.json'), '{"format":"x"}');
  const rows: [string[], RegExp][] = [
    [['baseline', 'save', '../main', 'base.json'], /"\.\.\/main" is not a name for a baseline/],
    [['baseline', 'save', 'main', 'bad.json'], /No trial of sse in bad\.json has a valid figure/],
    [['baseline', 'check', 'brokn', 'base.json'], /There is no baseline "brokn"; did you mean "broken"\?/],
    [
      ['baseline', 'check', 'main', 'base.json', '--dir', 'none'],
      /there is none in none\. Save one with: pushbench baseline save main RESULT/,
    ],
    [['baseline', 'check', 'broken', 'base.json'], /baselines\/broken\.json is not whole JSON/],
    [
      ['baseline', 'check', 'other', 'base.json'],
      /baselines\/other\.json is JSON, but not a baseline of pushbench/,
    ],
    [['baseline', 'save', 'main'], /missing required argument/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await call(args, folder);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
  }
  const empty = await call(['baseline', 'list', '--dir', 'none'], folder);
  assert.match(empty.stdout, /There is no baseline in none\. Save one with/);
});

test('a trial that does not count is left out of a baseline and named; the others are kept', async (t) => {
  const folder = temporaryFolder(t);
  const result = sse(10);
  const [first, ...others] = result.trials;
  const failed = { status: 'failed', valid: false, code: 'child-ended', message: 'it died' };
  const lone = { ...first, variant: { ...first!.variant, label: 'alone' }, outcome: failed };
  const trials = [{ ...first, outcome: failed }, ...others, lone];
  writeFileSync(join(folder, 'some.json'), JSON.stringify({ ...result, planned: undefined, trials }));
  const { code, stdout, stderr } = await call(['baseline', 'save', 'main', 'some.json'], folder);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Saved 2 runs of 1 variant of compare/);
  assert.equal(
    stderr,
    'Left out: trial 1 of sse has no valid figure (child-ended).\n' +
      'Left out: trial 1 of alone has no valid figure (child-ended).\n',
  );
});

test('what git puts in place of a baseline is told with the remedy; a byte-order mark is none', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'base.json'), JSON.stringify(sse(10)));
  await call(['baseline', 'save', 'main', 'base.json'], folder);
  const file = join(folder, 'baselines/main.json');
  const text = readFileSync(file, 'utf8');
  const rows: [string | Buffer, number, RegExp][] = [
    [`\uFEFF${text}`, 0, /^$/],
    [`<<<<<<< HEAD\n${text}=======\n${text}>>>>>>> other\n`, 2, /marks of a merge .*git checkout --ours/],
    [
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n',
      2,
      /a pointer of Git LFS .*git lfs pull --include="baselines\/main\.json"/,
    ],
    [Buffer.from(`\uFEFF${text}`, 'utf16le'), 2, /text in UTF-16; save it in UTF-8/],
  ];
  for (const [content, expected, said] of rows) {
    writeFileSync(file, content);
    const { code, stderr } = await call(['baseline', 'check', 'main', 'base.json'], folder);
    assert.equal(code, expected, stderr);
    assert.match(stderr, said);
  }
});

test(
  'a baseline reads back as it was saved, but for digits that no ' +
    'run repeats; a later version is refused',
  () => {
    const runs = runSetOf('main', [sse(10)]);
    const text = writeBaseline(runs, new Date(0));
    const read = readBaseline(text, 'main.json');
    assert.equal(writeBaseline(read.runs, new Date(0)), text);
    for (const [i, { values }] of runs.variants[0]!.runs.entries()) {
      for (const [metric, value] of Object.entries(values)) {
        const kept = read.runs.variants[0]!.runs[i]!.values[metric]!;
        assert.ok(Math.abs(kept - value) <= 1e-5 * Math.abs(value), `${metric}: ${kept} of ${value}`);
      }
    }
    assert.throws(
      () => readBaseline(text.replace('"version": 2', '"version": 3'), 'main.json'),
      /version 3 .* Upgrade pushbench/,
    );
    assert.throws(
      () => readBaseline(text.replace('"savedAt"', '"savdAt"'), 'main.json'),
      /main\.json is not valid/,
    );
  },
);
