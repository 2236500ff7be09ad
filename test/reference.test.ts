// Holds the reference pages to what they describe: they are what the script writes, every key of a file
// stands in an example that our own reader takes, and every link leads somewhere.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import { metrics } from '../core/metrics/registry.ts';
import { patterns } from '../core/pattern/registry.ts';
import { parseScenario } from '../core/scenario/scenario-file.ts';
import { parseTarget } from '../core/target/file.ts';
import { referenceFolder, referencePages } from '../scripts/reference.ts';
import { examplesOf } from '../scripts/reference/examples.ts';
import { branchesOf, entryName, formOf, keysOf, type Node } from '../scripts/reference/keys.ts';
import { slugOf } from '../scripts/reference/markdown.ts';
import { resultKeys } from '../scripts/reference/result.ts';
import { scenarioNode } from '../scripts/reference/scenario.ts';
import { targetNode } from '../scripts/reference/target.ts';

describe('the page is what the script writes (else: npm run reference)', () => {
  for (const [file, text] of Object.entries(referencePages))
    test(file, () => assert.equal(readFileSync(new URL(file, referenceFolder), 'utf8'), text()));
});

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a value is meant by a branch of a union, as far as its keys tell. */
function fits({ properties, required = [], items }: Node, value: unknown): boolean {
  if (items) return Array.isArray(value);
  if (!properties) return true;
  if (!isMap(value)) return false;
  return Object.keys(value).every((key) => properties[key]) && required.every((key) => key in value);
}

/** The keys of a schema that stand in a value, as keysOf calls them. */
function* standing(node: Node, value: unknown, path = '', form = ''): Generator<string> {
  const { properties = {}, additionalProperties: entry, items } = node;
  if (Array.isArray(value) && items)
    for (const one of value) {
      yield `${path}[] ${form}`;
      yield* standing(items, one, `${path}[]`, form);
    }
  if (isMap(value))
    for (const [key, one] of Object.entries(value)) {
      const own = properties[key];
      const name = own ? key : entryName(path);
      const at = path === '' ? name : `${path}.${name}`;
      const child = own ?? (typeof entry === 'object' ? entry : undefined);
      if (!child) continue;
      yield `${at} ${form}`;
      yield* standing(child, one, at, form);
    }
  const maps = branchesOf(node).filter((branch) => branch.properties);
  for (const branch of branchesOf(node).filter((one) => fits(one, value)))
    yield* standing(branch, value, path, maps.length > 1 && branch.properties ? formOf(branch, maps) : form);
}

const files = [
  {
    kind: 'scenario',
    node: scenarioNode(),
    read: (text: string, file: string) => parseScenario(text, { file, registry: patterns, overrides: [] }),
  },
  { kind: 'target', node: targetNode(), read: parseTarget },
] as const;

for (const { kind, node, read } of files) {
  describe(`each example of a ${kind} is read by our own reader`, () => {
    for (const { file, says, yaml } of examplesOf(kind))
      test(file, () => {
        assert.match(says, /^[A-Z].+\.$/, 'a comment says what it shows');
        assert.ok(read(yaml, file));
      });
  });

  test(`every key of a ${kind} stands in an example`, () => {
    const seen = new Set(examplesOf(kind).flatMap(({ yaml }) => [...standing(node, parse(yaml))]));
    const keys = keysOf(node).map(({ path, form }) => `${path} ${form}`);
    assert.ok(keys.length > 30);
    assert.deepEqual(
      keys.filter((key) => !seen.has(key)),
      [],
    );
  });
}

test('a key in another form of a map is not taken for the one that is meant', () => {
  const form = (key: string): Node => ({
    properties: { at: {}, [key]: {}, server: {} },
    required: ['at', key],
  });
  const union = { items: { anyOf: [form('kill'), form('stop')] } };
  const seen = [...standing(union, [{ at: 1, kill: 2, server: 1 }], 'faults')];
  assert.deepEqual(seen, ['faults[] ', 'faults[].at kill', 'faults[].kill kill', 'faults[].server kill']);
});

test('every key of the pages says what it is', () => {
  const silent = [...keysOf(scenarioNode()), ...keysOf(targetNode()), ...resultKeys()].filter(
    ({ says }) => says === '',
  );
  assert.deepEqual(
    silent.map(({ path }) => path),
    [],
  );
});

test('every metric is on its page, with a sentence of its own', () => {
  const page = readFileSync(new URL('metrics.md', referenceFolder), 'utf8');
  const sentences = Object.entries(metrics).map(([name, { description }]) => {
    assert.ok(page.includes(`\n| \`${name}\` | `), name);
    assert.match(description, /^[A-Z].+\.$/, name);
    return description;
  });
  assert.equal(new Set(sentences).size, sentences.length, 'no two say the same');
});

test('every link of the pages leads to a heading or a file', () => {
  for (const file of Object.keys(referencePages)) {
    const page = readFileSync(new URL(file, referenceFolder), 'utf8');
    const text = page.replace(/```[\s\S]*?```/g, '');
    const slugs = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => slugOf(title!));
    const links = [...text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)];
    assert.ok(links.length > 3, file);
    for (const [link, target = '', slug] of links) {
      if (target === '') assert.ok(slugs.includes(slug!), `${file}: ${link}`);
      else assert.ok(existsSync(new URL(target, referenceFolder)), `${file}: ${link}`);
    }
    assert.equal(new Set(slugs).size, slugs.length, `${file}: two headings of one name`);
  }
});
