// Gives scenarios that are not YAML, YAML that is not fit for settings, and files of another kind, of which
// nothing may be quoted.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { base, mistakesIn, read } from '../base/mistakes.ts';

describe('what is not YAML, or not fit for settings', () => {
  const rows: [reads: string, text: string, mistakes: string[]][] = [
    [
      'a bracket that is not closed',
      `${base}expect: [`,
      [
        '4:10: this is not YAML: Flow sequence in block collection must ' +
          'be sufficiently indented and end with a ]',
      ],
    ],
    [
      'a tab for indentation',
      `question: What?\ntopics:\n\tnews: 5`,
      ['3:1: this is not YAML: Tabs are not allowed as indentation'],
    ],
    ['a tag', `${base}repeat: !three 3`, ['4:9: this is not YAML: Unresolved tag: !three']],
    [
      'two documents',
      `${base}---\n${base}`,
      ['4:1: this is not YAML: Source contains multiple documents; please use YAML.parseAllDocuments()'],
    ],
    ['a key twice', `${base}repeat: 3\nrepeat: 4`, ['5:1: the key "repeat" is twice in the same map']],
    [
      'a key twice, and other mistakes with it',
      `${base}repeat: 3\nrepeat: 4\nsed: 5`,
      ['5:1: the key "repeat" is twice in the same map', '6:1: sed: unknown key; did you mean "seed"?'],
    ],
    ['a list for a key', `${base}? [a, b]\n: 5`, ['4:3: a key must be a single word or text']],
    [
      '__proto__ for a topic',
      base.replace('{ news:', '{ __proto__: { publish: 5/s }, news:'),
      ['3:11: "__proto__" cannot be a key'],
    ],
    [
      'an alias of nothing',
      `${base}repeat: *often`,
      ['4:9: the alias *often has no anchor &often before it'],
    ],
    ['an alias of itself', `${base}expect: &all [*all]`, ['4:15: the alias *all is inside its own anchor']],
    [
      'aliases that multiply',
      `a: &a [${'1,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]`,
      ['1:1: its aliases multiply its values more than 100 times; write the values out'],
    ],
    [
      'more aliases than anybody writes',
      `a: &a 1\nb: [${'*a,'.repeat(100_000)}]`,
      ['1:1: it has more than 1000 aliases; write the values out'],
    ],
    [
      'deep nesting',
      `${base}notice: ${'['.repeat(40)}${']'.repeat(40)}`,
      ['1:1: the values are nested too deep; a scenario needs fewer than 32 levels'],
    ],
    [
      'nesting too deep for the parser',
      '['.repeat(100_000),
      ['1:806: the values are nested too deep; a scenario needs fewer than 32 levels'],
    ],
  ];
  for (const [reads, text, mistakes] of rows) {
    test(reads, () => {
      const found = mistakesIn(text);
      // Where the parser gives up depends on the size of the stack.
      assert.deepEqual(
        found.map((mistake) => mistake.replace(/^1:\d+: the values/, '1:1: the values')),
        mistakes.map((mistake) => mistake.replace(/^1:\d+: the values/, '1:1: the values')),
      );
    });
  }

  // Naming a mistake quotes the file, and these may hold what nobody meant to show.
  const others: [reads: string, text: string, got: string][] = [
    ['a list of users', 'root:SECRET:0:0:root:/root:/bin/bash\nSECRET:x:1:1:/:/bin/sh\n', 'text'],
    [
      'a private key',
      '-----BEGIN PRIVATE KEY-----\nSECRETvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n',
      'text',
    ],
    ['settings of something else', 'password: SECRET\nSECRET: 5\nserver: SECRET\n', 'a map with other keys'],
    ['JSON of something else', '{"token":"SECRET","repeat":"SECRET"}', 'a map with other keys'],
    ['a list of something else', '- SECRET\n', 'a list'],
    ['a line of shell', 'SECRET="a\\SECRET" # x\n', 'text'],
    ['a directive', '%SECRET foo\n---\n', 'something else'],
    ['brackets that do not fit', 'SECRET: b\n]SECRET', 'a map with other keys'],
    ['an alias of nothing', 'a: *SECRET', 'a map with other keys'],
    ['a tag', 'a: !SECRET x', 'a map with other keys'],
    ['a key twice', 'SECRET: 1\nSECRET: 2', 'a map with other keys'],
  ];
  for (const [reads, text, got] of others) {
    test(`${reads} is told to be no scenario, and nothing of it is quoted`, () => {
      for (const overrides of [[], ['repeat=2'], ['SECRE.x=2']]) {
        assert.throws(
          () => read(text, overrides),
          (error: Error) => {
            assert.match(
              error.message,
              new RegExp(`:1:1: this is not a scenario: expected a map with the keys .*; got ${got}$`),
            );
            return !error.message.includes('SECRET');
          },
        );
      }
    });
  }

  test('a file that is too large is not even read', () => {
    assert.throws(
      () => read(`${base}# ${'x'.repeat(2 ** 20)}`),
      /mine\/quick\.yaml: a scenario file has at most 1 MiB, and this one has more/,
    );
  });

  test('a megabyte of keys takes seconds at most, not hours', () => {
    const startedMs = performance.now();
    const mistakes = mistakesIn(base + Array.from({ length: 50_000 }, (_, i) => `key${i}: 1\n`).join(''));
    assert.equal(mistakes.at(-1), 'and 49970 more');
    assert.ok(performance.now() - startedMs < 60_000);
  });
});
