// Cursors of a target that means harm or is broken: what is kept of an answer and sent back
// has a bound and fits a URL.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { askFrom, moveBy, newPlace } from '../../../load/target/cursor.ts';

const inField = { parameter: 'since', field: 'page.next' } as const;
const inHeader = { parameter: 'since', header: 'X-Next' } as const;

/** Where a client is after one answer. */
function after(
  cursor: typeof inField | typeof inHeader,
  text: string,
  headers: [string, string][] = [],
): string {
  const place = { ...newPlace(), since: 'before' };
  const bytes = Buffer.from(text);
  moveBy(cursor, place, { status: 200, keepAlive: true, headers: new Map(headers) }, bytes, 0, bytes.length);
  return askFrom(cursor, '/events', place).target;
}

test('a cursor is taken from a field or a header', () => {
  assert.equal(after(inField, '{"page":{"next":"a b"}}'), '/events?since=a%20b');
  assert.equal(after(inField, '{"page":{"next":5}}'), '/events?since=5');
  assert.equal(after(inHeader, '', [['x-next', 'abc']]), '/events?since=abc');
});

test('what is none leaves the client where it was, and what cannot stand in a URL is replaced', () => {
  const none = [
    '',
    '{',
    '{"page":null}',
    '{"page":{"next":{}}}',
    `{"page":{"next":"${'x'.repeat(5000)}"}}`,
    `{"page":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    '{"__proto__":{"page":{"next":"x"}}}',
  ];
  for (const text of none) assert.equal(after(inField, text), '/events?since=before', text.slice(0, 40));
  assert.equal(after(inHeader, '', [['x-next', 'x'.repeat(5000)]]), '/events?since=before');
  assert.equal(after(inField, String.raw`{"page":{"next":"a\ud800b"}}`), '/events?since=a%EF%BF%BDb');
});
