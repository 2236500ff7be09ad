// The JSON Schema for editors: up to date, and of one mind with what the scenarios are checked with.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import { patterns } from '../../../core/pattern/registry.ts';
import { scenarioSchema } from '../../../core/scenario/scenario.ts';
import { schemaFile, schemaText } from '../../../scripts/schema.ts';

type Schema = Record<string, unknown>;

/** Enough of draft 7 for this schema; it fails on a keyword that it does not know. */
function mistakesIn(schema: unknown, value: unknown, path = ''): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${path} must not be there`];
  const entries = Object.entries(schema as Schema);
  return entries.flatMap(([keyword, given]) => checkKeyword(keyword, given, schema as Schema, value, path));
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fail = (broken: boolean, message: string) => (broken ? [message] : []);

const types: Record<string, (value: unknown) => boolean> = {
  object: isMap,
  array: Array.isArray,
  integer: Number.isInteger,
  number: Number.isFinite,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
};

function checkKeyword(
  keyword: string,
  given: unknown,
  schema: Schema,
  value: unknown,
  path: string,
): string[] {
  switch (keyword) {
    case '$schema':
    case 'title':
    case 'description':
    case 'default':
      return [];
    case 'type':
      return fail(!types[String(given)]!(value), `${path} is no ${String(given)}`);
    case 'const':
      return fail(value !== given, `${path} is not ${String(given)}`);
    case 'enum':
      return fail(!(given as unknown[]).includes(value), `${path} is none of ${String(given)}`);
    case 'pattern':
      return fail(
        typeof value === 'string' && !new RegExp(String(given)).test(value),
        `${path} does not match ${String(given)}`,
      );
    case 'minLength':
      return fail(typeof value === 'string' && value.length < Number(given), `${path} is too short`);
    case 'minimum':
      return fail(typeof value === 'number' && value < Number(given), `${path} is too small`);
    case 'exclusiveMinimum':
      return fail(typeof value === 'number' && value <= Number(given), `${path} is too small`);
    case 'maximum':
      return fail(typeof value === 'number' && value > Number(given), `${path} is too large`);
    case 'minItems':
      return fail(Array.isArray(value) && value.length < Number(given), `${path} has too few`);
    case 'maxItems':
      return fail(Array.isArray(value) && value.length > Number(given), `${path} has too many`);
    case 'items':
      return Array.isArray(value) ? value.flatMap((item, i) => mistakesIn(given, item, `${path}[${i}]`)) : [];
    case 'properties':
      return isMap(value)
        ? Object.entries(given as Schema).flatMap(([key, one]) =>
            Object.hasOwn(value, key) ? mistakesIn(one, value[key], `${path}.${key}`) : [],
          )
        : [];
    case 'required':
      return isMap(value)
        ? (given as string[]).flatMap((key) => fail(!Object.hasOwn(value, key), `${path}.${key} is missing`))
        : [];
    case 'propertyNames':
      return isMap(value)
        ? Object.keys(value).flatMap((key) => mistakesIn(given, key, `${path}, key ${key}`))
        : [];
    case 'additionalProperties': {
      const known = Object.keys((schema['properties'] ?? {}) as Schema);
      return isMap(value)
        ? Object.keys(value)
            .filter((key) => !known.includes(key))
            .flatMap((key) => mistakesIn(given, value[key], `${path}.${key}`))
        : [];
    }
    case 'anyOf': {
      const branches = (given as unknown[]).map((branch) => mistakesIn(branch, value, path));
      return branches.some((mistakes) => mistakes.length === 0) ? [] : branches.flat();
    }
    default:
      return assert.fail(`the test's checker does not know the keyword ${keyword}`);
  }
}

const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as Schema;
const zod = scenarioSchema(patterns);
const scenarios = globSync('scenarios/*.yaml').map((path): [string, unknown] => [
  basename(path),
  parse(readFileSync(path, 'utf8')),
]);

test('the committed schema is the one that is generated', () => {
  assert.equal(readFileSync(schemaFile, 'utf8'), schemaText(), 'run: npm run schema');
});

describe('the shipped scenarios fulfil it', () => {
  assert.ok(scenarios.length >= 2);
  for (const [name, value] of scenarios) test(name, () => assert.deepEqual(mistakesIn(schema, value), []));
});

describe('it refuses what an editor should underline', () => {
  const base = { question: 'What?', subscribers: 5, topics: { news: { publish: '5/s' } } };
  const rows: [reads: string, value: unknown, mistake: RegExp][] = [
    ['an unknown key', { ...base, subscribrs: 5 }, /^\.subscribrs must not be there$/],
    ['a missing key', { question: 'What?', subscribers: 5 }, /^\.topics is missing$/],
    [
      'a duration without its unit',
      { ...base, phases: { measure: '5' } },
      /^\.phases\.measure does not match/,
    ],
    ['a number for a duration', { ...base, phases: { measure: 5 } }, /^\.phases\.measure is no string$/],
    [
      'a rate without its unit',
      { ...base, topics: { news: { publish: '5' } } },
      /^\.topics\.news\.publish does not match/,
    ],
    [
      'a topic without a proper name',
      { ...base, topics: { 'my news': { publish: '5/s' } } },
      /key my news does not match/,
    ],
    [
      'a pattern that there is not',
      { ...base, variants: ['poling'] },
      /^\.variants\[0\] is none of polling,/,
    ],
    [
      'an option that there is not',
      { ...base, variants: [{ sse: { ovr: 'h2' } }] },
      /^\.variants\[0\]\.sse\.ovr must not be there$/,
    ],
    ['a size without its unit', { ...base, payload: '1K' }, /^\.payload does not match/],
  ];
  for (const [reads, value, mistake] of rows) {
    test(reads, () =>
      assert.ok(
        mistakesIn(schema, value).some((one) => mistake.test(one)),
        mistakesIn(schema, value).join('\n'),
      ),
    );
  }
});

test('what the check of scenarios accepts, the schema accepts', () => {
  const paths = (value: unknown, path: string[]): string[][] => [
    path,
    ...(typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, one]) => paths(one, [...path, key]))
      : []),
  ];
  const spots = scenarios.flatMap(([, value]) =>
    paths(value, [])
      .slice(1)
      .map((path) => ({ value, path })),
  );
  const other = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(
      '5s',
      '90ms',
      '5/s',
      '5%',
      '1kB',
      'sse',
      'text',
      3,
      true,
      [],
      {},
      ['1s'],
      { publish: '5/s' },
      { constant: '1/s' },
      { stages: [{ rate: '1/s', for: '1s' }] },
      { bursts: { size: 2, every: '1s' } },
      { at: '1s', freeze: 'load', for: '1s' },
      [{ at: '1s', disconnect: '5%' }],
      { websocket: { deflate: true } },
      [{ webhook: { retries: ['1s'] } }],
      { check: 'missed == 0', for: ['sse'] },
      { from: 'x.json' },
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...spots), other, ({ value, path }, replacement) => {
      const changed = structuredClone(value);
      const parent = path
        .slice(0, -1)
        .reduce((one, key) => (one as Record<string, unknown>)[key], changed) as Record<string, unknown>;
      parent[path.at(-1)!] = replacement;
      if (zod.safeParse(changed).success) assert.deepEqual(mistakesIn(schema, changed), []);
    }),
    { numRuns: 2000 },
  );
});

test('every key is described, and every default is one that may be written', () => {
  const undescribed: string[] = [];
  const walk = (one: unknown, path: string): void => {
    if (!isMap(one)) return;
    if ('default' in one) assert.deepEqual(mistakesIn(one, one['default']), [], `the default at ${path}`);
    for (const [key, property] of Object.entries((one['properties'] ?? {}) as Record<string, Schema>)) {
      // In a union the branch or the whole is described.
      if (!('description' in property) && !path.includes('|')) undescribed.push(`${path}.${key}`);
      walk(property, `${path}.${key}`);
    }
    for (const branch of (one['anyOf'] ?? []) as unknown[]) walk(branch, `${path}|`);
    walk(one['items'], `${path}[]`);
    walk(one['additionalProperties'], `${path}.*`);
  };
  walk(schema, '');
  assert.deepEqual(undescribed, []);
});
