// The README's promises: its commands exist and take their arguments, its scenario is one,
// its links lead somewhere.

import assert from 'node:assert/strict';
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { openScenario } from '../api/scenarios.ts';
import { createProgram } from '../cli/program.ts';
import { patterns } from '../core/pattern/registry.ts';
import { parseScenario } from '../core/scenario/scenario-file.ts';
import { call, temporaryFolder } from './cli/tools.ts';
import { fixtureResult } from './reports/fixture.ts';

const readme = readFileSync('README.md', 'utf8');

test('every command of the README is one, with the options it is given, and its scenarios are valid', () => {
  const commands = [...readme.matchAll(/`npm start -- ([a-z][^`]*)`/g)].map(([, text]) => text!.split(' '));
  assert.ok(commands.length >= 7);
  for (const [name = '', ...args] of commands) {
    if (name === 'COMMAND') continue;
    const command = createProgram().commands.find((one) => one.name() === name);
    assert.ok(command, name);
    for (const option of args.filter((arg) => /^--./.test(arg)))
      assert.ok(
        command.options.some(({ long }) => long === option),
        `${name} ${option}`,
      );
    const overrides = args.filter((_, i) => args[i - 1] === '--set');
    if ((name === 'run' || name === 'validate') && !args[0]!.startsWith('./'))
      openScenario(args[0]!, overrides);
    if (name === 'serve') assert.ok(Object.hasOwn(patterns, args[0]!));
  }
});

/**
 * A results folder as it is after a while: two runs of one scenario, what `ab` and `bisect` left, a run that
 * was cut off, an empty folder, files of somebody else and an earlier report.
 */
function usedFolder(t: TestContext): string {
  const folder = temporaryFolder(t);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, 'results', path)), { recursive: true });
    writeFileSync(join(folder, 'results', path), text);
  };
  write('one/result.json', JSON.stringify(fixtureResult({ repeat: 2 })));
  write('one/report.html', 'the report of the first run');
  write(
    'two/result.json',
    JSON.stringify({ ...fixtureResult({ repeat: 2 }), createdAt: '2026-01-03T10:00:00.000Z' }),
  );
  cpSync('test/reports/read/results/version-2/ab', join(folder, 'results/zab'), { recursive: true });
  write('bisected/bisect.json', '{}');
  write('broken/result.json', '{"format":"pushbench-result","ver');
  write('foreign/result.json', '{"format":"of somebody else"}');
  write('notes.txt', 'not ours');
  write('data.json', '[]');
  mkdirSync(join(folder, 'results/empty'));
  return folder;
}

/** What each command of the README that reads what is there prints on such a folder, and its exit code. */
const reading: Record<string, [codes: number[], said: RegExp]> = {
  list: [[0], /compare: When something changes/],
  'advise --clients 3000 --every 2s': [[0], /SSE/],
  'validate compare': [[0], /compare: When something changes/],
  'report results/*': [[0], /\nReport: results\/report\.html\n/],
  'report results/one results/two': [[0], /\nReport: results\/report\.html\n/],
  'report results/one --format junit': [[0], /^<\?xml/],
  'compare results/one results/two': [[0, 6], /two against one/],
  'baseline save main results/one': [[0], /Saved 12 runs of 6 variants of compare/],
  'baseline check main results/two': [[0, 6], /results\/two against main/],
  'history results --html history.html': [[0], /2 saved runs of compare|\d saved runs? of/],
  'claims results/one': [[0, 4], /^# /],
};
/** These start servers and trials, or simulate them; tests of their own hold them. */
const starting = new Set([
  'run',
  'simulate',
  'plan',
  'ab',
  'bisect',
  'open',
  'serve',
  'follow',
  'receive',
  'target',
]);

test('every command of the README that reads results does so whatever else is in the folder', async (t) => {
  const folder = usedFolder(t);
  const names = [...Object.keys(reading).map((text) => text.split(' ')[0]!), ...starting].join('|');
  const commands = [
    ...readme.matchAll(new RegExp(`\`npm start -- ([a-z][^\`]*)\`|\`((?:${names}) [^\`]*)\``, 'g')),
  ].map(([, whole, part]) => whole ?? part!);
  const walked: string[] = [];
  for (const text of commands) {
    const words = text.split(' ');
    if (starting.has(words[0]!)) continue;
    const known = reading[text];
    assert.ok(known, `say in this test what "${text}" prints`);
    const args = words.flatMap((word) =>
      word === 'results/*' ? readdirSync(join(folder, 'results')).map((name) => `results/${name}`) : [word],
    );
    const end = await call(args, folder);
    assert.ok(known[0].includes(end.code!), `${text}: ${end.code}: ${end.stdout}${end.stderr}`);
    assert.match(end.stdout, known[1], text);
    assert.doesNotMatch(end.stderr, /\n\s+at /, text);
    if (text === 'report results/*') {
      for (const [name, why] of [
        ['broken', /is not whole JSON/],
        ['foreign', /not a result of pushbench/],
        ['notes\\.txt', /it is not a result/],
        ['data\\.json', /not a result of pushbench/],
        ['empty', /there is no result in it/],
        ['bisected', /a bisection/],
        ['zab', /two arms: .* pushbench report results\/zab/],
      ] as const)
        assert.match(end.stderr, new RegExp(`^Left out: results/${name}: .*${why.source}`, 'm'));
      assert.doesNotMatch(end.stderr, /results\/(one|two)/);
      assert.equal(
        readFileSync(join(folder, 'results/one/report.html'), 'utf8'),
        'the report of the first run',
      );
      assert.match(readFileSync(join(folder, 'results/report.html'), 'utf8'), /<!doctype html>/);
    }
    walked.push(text);
  }
  assert.deepEqual(walked.toSorted(), Object.keys(reading).toSorted());
  assert.ok(existsSync(join(folder, 'history.html')));
});

test("the README's scenario is one", () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(readme)!;
  const { scenario } = parseScenario(yaml!, { file: 'README.md', registry: patterns, overrides: [] });
  assert.equal(scenario.variants.length, 3);
});

test('links and pictures of all documents are there', () => {
  const missing = globSync('{*.md,docs/**/*.md}').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !existsSync(join(dirname(file), target)))
      .map((target) => `${file}: ${target}`),
  );
  assert.deepEqual(missing, []);
});
