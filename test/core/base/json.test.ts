// JSON from outside: the same value as JSON.parse gives, or a problem that quotes nothing;
// bounded in depth and number.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { parseJson } from '../../../core/base/json.ts';

test('any JSON is read as JSON.parse reads it, whatever its strings hold', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      assert.deepEqual(parseJson(text), { value: JSON.parse(text) });
    }),
  );
  for (const text of [
    String.raw`"\\"`,
    String.raw`["\"[[[{{{", "\\\\", "]"]`,
    `"${'['.repeat(1000)}"`,
    `{"${'{'.repeat(1000)}":"${','.repeat(100)}"}`,
    `${'['.repeat(500)}${']'.repeat(500)}`,
  ]) {
    assert.deepEqual(parseJson(text), { value: JSON.parse(text) }, text);
  }
});

test('text that is none gives a problem without a word of it, with the place where there is one', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseJson(`SECRET${text}`);
      assert.ok('problem' in parsed && !parsed.problem.includes('SECRET'));
    }),
  );
  assert.deepEqual(parseJson('{\n "a": 1,\n "b" SECRET'), {
    problem: ' (it breaks off at line 3, column 6)',
  });
  assert.deepEqual(parseJson('root:x:0:0'), { problem: '' });
  assert.deepEqual(parseJson('{"a'), { problem: ' (it breaks off at line 1, column 4)' });
});

test('what nests deeper or holds more than anything of ours is refused before it takes memory', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    assert.deepEqual(parseJson(`${open.repeat(100_000)}1${close.repeat(100_000)}`), {
      problem: ', or nests its values more than 500 levels deep',
    });
    assert.ok('value' in parseJson(`${open.repeat(500)}1${close.repeat(500)}`));
  }
  const values = (count: number) => `[${'1,'.repeat(count - 1)}1]`;
  assert.ok('value' in parseJson(values(9_999_999)), 'with the list itself just as many');
  assert.deepEqual(parseJson(values(10_000_000)), { problem: ', or holds more than 10,000,000 values' });
  assert.deepEqual(parseJson(`[${'{},'.repeat(10_000_000)}{}]`), {
    problem: ', or holds more than 10,000,000 values',
  });
});
