// Checks that a pattern of the registry is whole: entry, server, subscribers, page and wire format are there,
// and what is missing is said with the file to write. The recipe is "Hops" in ARCHITECTURE.md.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { loads } from '../../../load/registry.ts';
import { targetLoads } from '../../../load/target/loads.ts';
import { patternServers } from '../../../servers/registry.ts';

const names = Object.keys(patterns);

/** @returns a sentence for each thing that the pattern `name` still needs */
function missingOf(name: string, target: object): string[] {
  const wire = readFileSync('docs/wire.md', 'utf8');
  const needs: [isThere: boolean, sentence: string][] = [
    [
      existsSync(`core/pattern/${name}.ts`),
      `core/pattern/${name}.ts is missing: an entry has a file of its own, called as the pattern`,
    ],
    [
      existsSync(`servers/${name}.ts`),
      `servers/${name}.ts is missing: write its server there, a PatternServer (servers/pattern.ts)`,
    ],
    [
      Object.hasOwn(patternServers, name),
      `servers/registry.ts has no line for ${name}: add one that imports servers/${name}.ts`,
    ],
    [
      existsSync(`load/${name}.ts`),
      `load/${name}.ts is missing: write its subscribers there, a PatternLoad (load/pattern.ts)`,
    ],
    [
      Object.hasOwn(loads, name),
      `load/registry.ts has no line for ${name}: add one that imports load/${name}.ts`,
    ],
    [
      Object.hasOwn(targetLoads, name) || !('entry' in target),
      `load/target/loads.ts has no line for ${name}: add one, or say in the entry why a target is impossible`,
    ],
    [
      existsSync(`docs/patterns/${name}.md`),
      `docs/patterns/${name}.md is missing: write its page, with the headings of those beside it`,
    ],
    [
      existsSync(`scripts/exchange/pages/${name}.ts`),
      `scripts/exchange/pages/${name}.ts is missing: write the conversation that is captured for its page`,
    ],
    [
      new RegExp(`^## ${name}(?:$|:)`, 'm').test(wire),
      `docs/wire.md has no section "## ${name}": write what goes over the wire`,
    ],
  ];
  return needs.flatMap(([isThere, sentence]) => (isThere ? [] : [sentence]));
}

for (const [name, { target }] of Object.entries(patterns))
  test(`${name} has its entry, server, subscribers, page and wire format`, () =>
    assert.deepEqual(missingOf(name, target), []));

test('what is missing is said, all of it at once', () => {
  const sentences = missingOf('unwritten', { entry: 'a target file describes it' });
  assert.equal(sentences.length, 9);
  assert.match(sentences[1]!, /^servers\/unwritten\.ts is missing: write its server there/);
});

test('nothing is listed that is no pattern, and no entry is left out of the registry', () => {
  for (const [list, registry] of Object.entries({
    'servers/registry.ts': patternServers,
    'load/registry.ts': loads,
    'load/target/loads.ts': targetLoads,
  }))
    for (const name of Object.keys(registry))
      assert.ok(names.includes(name), `${list} lists ${name}, which core/pattern/registry.ts does not`);
  for (const file of globSync('core/pattern/*.ts')) {
    if (!readFileSync(file, 'utf8').includes('satisfies Pattern<')) continue;
    const name = basename(file, '.ts');
    assert.ok(names.includes(name), `${file} is an entry: list it in core/pattern/registry.ts`);
  }
});
