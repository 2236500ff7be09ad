// Finding our event in whatever a target wraps it in.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../../core/event/envelope.ts';
import { findStamps } from '../../../load/target/stamp.ts';

const run = 'k3f9a1x2y7';
const marker = Buffer.from(`${run}-`);

function event(seq: number, body = '{"n":1}', of = run): string {
  return encodeEnvelope({
    id: `${of}-${seq}`,
    topic: 'news',
    seq,
    plannedUs: 1000 + seq,
    sentUs: 2000,
    acceptedUs: 0,
    crc: 7,
    body,
  });
}

/** What is found in a message, which lies somewhere in a larger buffer, as it does in the shared one. */
function found(message: string): { seq: number; body: string }[] {
  const before = Buffer.from(event(99));
  const bytes = Buffer.concat([before, Buffer.from(message), Buffer.from(event(98))]);
  const all: { seq: number; body: string }[] = [];
  const count = findStamps(
    marker,
    bytes,
    before.length,
    before.length + Buffer.byteLength(message),
    (buffer, from, to) => {
      const { seq, body } = decodeEnvelope(buffer.toString('utf8', from, to));
      all.push({ seq, body });
    },
  );
  assert.equal(count, all.length);
  return all;
}

const one = [{ seq: 1, body: '{"n":1}' }];
const two = [...one, { seq: 2, body: '{"n":1}' }];
const utf16 = (text: string) => JSON.stringify(text).replaceAll('\\"', '\\u0022');

describe('it is found', () => {
  const rows: [where: string, message: string, expected: { seq: number; body: string }[]][] = [
    ['as it is', event(1), one],
    ['as a field of JSON', `{"channel":"news","data":${event(1)},"id":5}`, one],
    ['as a JSON string', JSON.stringify({ data: event(1), more: 'a"b\\' }), one],
    ['as a string in a string', JSON.stringify({ data: JSON.stringify({ data: event(1) }) }), one],
    ['three strings deep', JSON.stringify(JSON.stringify(JSON.stringify(event(1)))), one],
    ['as a string whose quotes are written \\u0022', `{"data":${utf16(event(1))}}`, one],
    ['pretty-printed', JSON.stringify({ data: JSON.parse(event(1)) as unknown }, null, 2), one],
    ['with blanks, as Python writes JSON', event(1).replaceAll('":', '": ').replaceAll(',"', ', "'), one],
    [
      'with its keys in another order',
      `{"x":${JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(event(1)) as object).sort()))}}`,
      one,
    ],
    ['twice, one behind the other', `${event(1)}\n${event(2)}`, two],
    ['twice, in a list', `[${event(1)},${event(2)}]`, two],
    ['twice, as strings', JSON.stringify([event(1), event(2)]), two],
    [
      'twice, in multipart/mixed',
      `--x\r\nContent-Type: application/json\r\n\r\n${event(1)}\r\n--x\r\n\r\n${event(2)}\r\n--x--\r\n`,
      two,
    ],
    ['behind text of any kind', `a["message",${event(1)}]`, one],
    [
      'with text that is no JSON as its body',
      event(1, 'a "quoted"\nline'),
      [{ seq: 1, body: 'a "quoted"\nline' }],
    ],
    [
      'the same as a JSON string',
      JSON.stringify({ d: event(1, 'a "quoted"\\\nline') }),
      [{ seq: 1, body: 'a "quoted"\\\nline' }],
    ],
    ['and one in its body is not another', event(1, event(5)), [{ seq: 1, body: event(5) }]],
  ];
  for (const [where, message, expected] of rows)
    test(where, () => assert.deepEqual(found(message), expected));
});

describe('it is not found', () => {
  const rows: [string, string][] = [
    ['in nothing', ''],
    ['in chatter', '{"type":"welcome"}'],
    ['of another trial', event(1, '{}', 'another0ne')],
    ['cut off', event(1).slice(0, -1)],
    ['cut off, as a string', JSON.stringify(event(1)).slice(0, -3)],
    ["as the trial's name alone", `hello ${run}-5 and more`],
  ];
  for (const [reads, message] of rows) test(reads, () => assert.deepEqual(found(message), []));
});

test('whatever the body and however deep the strings, it comes back as it was', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue().map((value) => JSON.stringify(value)),
        fc.string({ unit: 'grapheme' }),
      ),
      fc.integer({ min: 0, max: 3 }),
      fc.string(),
      (body, depth, other) => {
        let message = event(3, body);
        for (let i = 0; i < depth; i++) message = JSON.stringify({ other, data: message });
        assert.deepEqual(found(message), [{ seq: 3, body }]);
      },
    ),
    { numRuns: 1000 },
  );
});

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (noise, at) => {
      const bytes = Buffer.concat([noise.subarray(0, at), marker, noise.subarray(at), marker]);
      findStamps(marker, bytes, 0, bytes.length, () => {});
    }),
    { numRuns: 500 },
  );
});
