// `pushbench report` and the outputs of `run`, as a user meets them: where each format
// goes, and what is refused.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLValidator } from 'fast-xml-parser';
import { test } from 'vitest';
import { fixtureResult } from '../reports/fixture.ts';
import { call, start, startScripted, temporaryFolder, writeScenario } from './tools.ts';

function writeResults(folder: string): void {
  for (const seed of [1, 2]) {
    mkdirSync(join(folder, `run${seed}`));
    writeFileSync(
      join(folder, `run${seed}`, 'result.json'),
      JSON.stringify(fixtureResult({ seed, measureS: 2 })),
    );
  }
}

test('each format goes to standard output alone, or to the file that is named', async (t) => {
  const folder = temporaryFolder(t);
  writeResults(folder);
  const rows: [string, RegExp][] = [
    ['markdown', /^## pushbench: compare\n/],
    ['junit', /^<\?xml version="1\.0"/],
    ['csv', /^scenario,created_at,/],
    ['hlog', /^#\[pushbench: /],
    ['json', /^\[\{"format":"pushbench-result"/],
  ];
  for (const [format, begins] of rows) {
    const { code, stdout, stderr } = await call(['report', 'run1', 'run2', '--format', format], folder);
    assert.equal(code, 0, stderr);
    assert.match(stdout, begins);
    const written = await call(
      ['report', 'run1', 'run2', '--format', format, '--out', `out.${format}`],
      folder,
    );
    assert.equal(written.stdout, `Written: out.${format}\n`);
    assert.equal(readFileSync(join(folder, `out.${format}`), 'utf8'), stdout);
  }
  const page = await start(['report', 'run1', '--out', '-'], folder).ended;
  assert.match(page.stdout, /^<!doctype html>[\s\S]*<\/html>\n$/);
  assert.equal(existsSync(join(folder, 'run1/report.html')), false);
});

test('hgrm is a file for each variant', async (t) => {
  const folder = temporaryFolder(t);
  writeResults(folder);
  const { code, stderr } = await call(['report', 'run1', '--format', 'hgrm'], folder);
  assert.equal(code, 2);
  assert.match(stderr, /hgrm holds one variant a file, and there are 6: name a file with --out NAME\.hgrm/);
  const end = await call(['report', 'run1', 'run2', '--format', 'hgrm', '--out', 'p.hgrm'], folder);
  assert.equal(end.code, 0, end.stderr);
  const files = readdirSync(folder).filter((name) => name.endsWith('.hgrm'));
  assert.equal(files.length, 12);
  assert.ok(files.includes('p-sse-10-00-01.hgrm'), files.join(' '));
});

test('what cannot be is refused with a hint', async (t) => {
  const folder = temporaryFolder(t);
  writeResults(folder);
  const rows: [string[], RegExp][] = [
    [['--format', 'junt'], /no format "junt"; did you mean "junit"\?/],
    [['--format', 'csv', '--json'], /--json' cannot be used with option '--format/],
    [['--format', 'csv', '--interactive'], /--interactive is for --format html; csv has no charts/],
  ];
  for (const [args, message] of rows) {
    const { code, stdout, stderr } = await call(['report', 'run1', ...args], folder);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
  const empty = {
    ...fixtureResult(),
    trials: [],
    expectations: [],
    state: { kind: 'interrupted', by: 'SIGINT' } as const,
  };
  writeFileSync(join(folder, 'empty.json'), JSON.stringify(empty));
  assert.match(
    (await call(['report', 'empty.json', '--format', 'hgrm'], folder)).stderr,
    /Nothing to write: no trial delivered anything/,
  );
});

test(
  'open serves the results until it is told to stop, and ' + 'says what is wrong with folder and port',
  async (t) => {
    const folder = temporaryFolder(t);
    writeResults(folder);
    const server = start(['open', '.', '--port', '0'], folder);
    await server.saw(/Ctrl-C ends it/);
    const other = start(['open', '.', '--port', '0'], folder);
    await other.saw(/Ctrl-C ends it/);
    other.child.kill('SIGINT');
    const { stdout } = await other.ended;
    assert.match(stdout, /^Results of \.: http:\/\/127\.0\.0\.1:\d+\/\n/);
    server.child.kill('SIGTERM');
    assert.equal((await server.ended).code, 0);
    const rows: [string[], RegExp, number][] = [
      [['open'], /no folder results\. .*pushbench run/, 2],
      [['open', '.', '--port', 'x'], /--port x is not a port/, 2],
    ];
    for (const [args, message, expected] of rows) {
      const { code, stderr } = await call(args, folder);
      assert.equal(code, expected);
      assert.match(stderr, message);
    }
  },
);

test(
  'run writes JUnit and Markdown beside the report when ' + 'asked, and finds out first whether it can',
  async (t) => {
    const folder = temporaryFolder(t);
    const scenario = writeScenario(folder, 'variants: [sse]\nexpect: [missed == 0]');
    const end = await startScripted(
      ['run', scenario, '--junit', 'junit.xml', '--markdown', 'summary.md', '--quiet'],
      folder,
    ).ended;
    assert.equal(end.code, 0, end.stdout + end.stderr);
    assert.equal(XMLValidator.validate(readFileSync(join(folder, 'junit.xml'), 'utf8')), true);
    assert.match(readFileSync(join(folder, 'summary.md'), 'utf8'), /^## pushbench: small\n/);
    const refused = await call(['run', scenario, '--results', 'other', '--junit', 'none/junit.xml'], folder);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /Cannot write none\/junit\.xml: ENOENT.*Name a file in a folder that is there/,
    );
    assert.equal(existsSync(join(folder, 'other')), false, 'nothing was run');
  },
);
