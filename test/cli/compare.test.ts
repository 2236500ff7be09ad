// `pushbench compare` as a user meets it: what it says, writes and ends with.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { comparisonSchema } from '../../core/comparison/comparison-result.ts';
import type { Result } from '../../core/result/result.ts';
import { fixtureResult } from '../reports/fixture.ts';
import { call, start, temporaryFolder } from './tools.ts';

function write(folder: string, name: string, result: Result): string {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'result.json'), JSON.stringify(result));
  return name;
}

/** A short result of sse alone, its trials one after the other. */
function small(at: number, change: (result: Result) => void = () => {}): Result {
  const result = fixtureResult({ repeat: 3, measureS: 2 });
  result.trials = result.trials.filter(({ variant }) => variant.label === 'sse');
  for (const [i, trial] of result.trials.entries())
    trial.startedAt = new Date(Date.UTC(2026, 0, 2, at, i)).toISOString();
  change(result);
  return result;
}

const loses = (result: Result) => {
  for (const { outcome } of result.trials) if (outcome.status === 'completed') outcome.ledger.missed = 3;
};
const slows = (result: Result) => {
  for (const { outcome } of result.trials)
    if (outcome.status === 'completed') outcome.latency.endToEnd = outcome.latency.lastReceiver;
};

test('compare prints the table; lost deliveries fail, timings of runs that stood apart do not', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, 'base', small(10));
  write(folder, 'same', small(11, slows));
  write(folder, 'lossy', small(12, loses));
  const same = await start(['compare', 'base', 'same'], folder).ended;
  assert.equal(same.code, 0, same.stderr);
  assert.match(
    same.stdout,
    /same against base[\s\S]*sse: undecided \(6 of 6 runs\)[\s\S]*advisory: the runs did not alternate/,
  );
  assert.equal((await call(['compare', 'base', 'same', '--fail-on', 'inconclusive'], folder)).code, 6);
  const files = ['x.html', 'x.md', 'x.xml'];
  const lossy = await call(
    [
      'compare',
      'base',
      'lossy',
      '--html',
      'x.html',
      '--markdown',
      'x.md',
      '--junit',
      'x.xml',
      '--annotations',
      'scenario.yaml',
    ],
    folder,
  );
  assert.equal(lossy.code, 5, lossy.stderr);
  assert.match(lossy.stdout, /^\nWorse, lossy against base: sse: missed 3 per run where it was 0\./);
  assert.match(
    lossy.stdout,
    /^::error file=scenario\.yaml,title=pushbench compare%3A sse::missed 3 per run/m,
  );
  assert.deepEqual(
    files.filter((file) => !existsSync(join(folder, file))),
    [],
  );
  assert.match(readFileSync(join(folder, 'x.xml'), 'utf8'), /<failure type="loss"/);
  const json = await call(['compare', 'base', 'lossy', '--json'], folder);
  assert.equal(comparisonSchema.parse(JSON.parse(json.stdout)).verdict, 'slower');
});

test('--match holds variants of other names against each other, of one result too', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, 'all', fixtureResult({ repeat: 2, measureS: 2 }));
  const { code, stdout, stderr } = await call(
    ['compare', 'all', 'all', '--match', 'sse=long-polling', '--match', 'sse=websocket'],
    folder,
  );
  assert.equal(code, 5, stderr);
  assert.match(
    stdout,
    /Worse, candidate against baseline: sse -> long-polling: requests per delivery 1 where it was 0/,
  );
  assert.match(stdout, /sse -> websocket: undecided/);
});

test('a folder of runs is one side; where too many runs do ' + 'not count, nothing is judged', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, 'base/1', small(10));
  write(folder, 'base/2', small(11));
  write(
    folder,
    'bad',
    small(12, (result) => {
      for (const trial of result.trials) trial.outcome.valid = false;
    }),
  );
  const { code, stdout, stderr } = await call(['compare', 'base', 'bad'], folder);
  assert.equal(code, 6, stderr);
  assert.match(stdout, /Not judged, bad against base: sse: 3 of 9 runs do not count/);
});

test('mistakes are named with what to do', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, 'base', small(10));
  write(folder, 'mixed/1', small(10));
  write(folder, 'mixed/2', fixtureResult({ measureS: 3 }));
  mkdirSync(join(folder, 'empty'));
  const rows: [string[], RegExp][] = [
    [['compare', 'base', 'nothing'], /Cannot read a result at nothing: .*Name a result\.json/],
    [['compare', 'base', 'empty'], /There is no result in empty/],
    [['compare', 'base', 'mixed'], /mixed holds results of several scenarios/],
    [['compare', 'base'], /missing required argument/],
    [['compare', 'base', 'base', '--fail-on', 'inconclusiv'], /did you mean "inconclusive"\?/],
    [
      ['compare', 'base', 'base', '--match', 'sse'],
      /--match sse names one variant: write it as 'BASELINE=CANDIDATE'/,
    ],
    [
      ['compare', 'base', 'base', '--match', 'sse=ssee'],
      /candidate has no variant "ssee"; did you mean "sse"\?/,
    ],
    [['compare', 'base', 'base', '--html', 'no/such/x.html'], /Cannot write no\/such\/x\.html/],
    [['compare', 'base', 'base', '--json', '--annotations'], /cannot be used with/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await call(args, folder);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});
