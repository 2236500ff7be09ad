// The pages on several servers promise commands, settings and metrics: each is one that scenarios take.

import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { openScenario } from '../api/scenarios.ts';
import { metrics } from '../core/metrics/registry.ts';
import { temporaryFolder } from './cli/tools.ts';

const read = (name: string) => readFileSync(`docs/cluster/${name}.md`, 'utf8');

/** The words of a command line as a shell takes them, as far as these pages need it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}

test('commands on the pages name scenarios and settings that are valid', () => {
  const lines = globSync('docs/cluster/*.md').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/npm start -- run ([a-z][^`\n]*)/g)].map(([, line]) => line!),
  );
  assert.ok(lines.length > 10);
  for (const line of lines) {
    const [scenario = '', ...args] = wordsOf(line);
    const sets = args.filter((_, i) => args[i - 1] === '--set');
    assert.equal(args.length, 2 * sets.length, line);
    openScenario(scenario, sets);
  }
});

test('what to look at are metrics', () => {
  const rows = [...read('outages').matchAll(/^\| .* \| (.*) \|$/gm)].map(([, last]) => last!);
  const names = rows.flatMap((row) => [...row.matchAll(/`([a-z]+[a-z0-9.-]*)`/g)].map(([, name]) => name!));
  assert.ok(names.length > 20);
  assert.deepEqual(
    [...new Set(names)].filter((name) => !Object.hasOwn(metrics, name)),
    [],
  );
});

test('each row of "which row is my system" is settings that the scenario above it takes', (t) => {
  const page = read('your-system');
  const file = join(temporaryFolder(t), 'mine.yaml');
  writeFileSync(file, /```yaml\n([\s\S]*?)```/.exec(page)![1]!);
  const rows = [...page.matchAll(/^\| \*\*(.*?)\| (.*?) \|/gm)];
  assert.ok(rows.length > 20);
  for (const [, system = '', settings = ''] of rows) {
    const sets = [...settings.matchAll(/`([^`]*=[^`]*)`/g)].map(([, one]) => one!);
    assert.ok(sets.length >= 3, system);
    openScenario(file, sets);
  }
});
