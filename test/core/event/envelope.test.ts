// The line of JSON around an event, and its checksum: read whole, found in a stream of
// bytes, and cut anywhere.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { describe, test } from 'vitest';
import {
  decodeEnvelope,
  encodeEnvelope,
  locate,
  newLocated,
  topicPattern,
  type Envelope,
} from '../../../core/event/envelope.ts';

/** Text as it may stand in UTF-8: any code point, no lone surrogate. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed()),
  fc.string({
    unit: fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '"',
      '\\',
      '{',
      '}',
      'a',
      'é',
      '日',
      '🎈',
      '\u2028',
      '\u0000',
      '\uFEFF',
      ',"body":',
      'data: ',
    ),
  }),
);
const body = fc.oneof(
  text,
  fc.json(),
  fc.json().map((json) => `  ${json}\t`),
  fc.json().map((json) => `[\n${json}\r\n]`),
  text.map((value) => JSON.stringify(value)),
);
const timeUs = fc.integer({ min: 0, max: 2 ** 52 });

const envelope: fc.Arbitrary<Envelope> = fc
  .record(
    {
      id: fc
        .tuple(fc.stringMatching(/^[a-z0-9]{1,16}$/), fc.nat())
        .map(([epoch, offset]) => `${epoch}-${offset}`),
      topic: fc.stringMatching(topicPattern),
      seq: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      plannedUs: timeUs,
      sentUs: timeUs,
      acceptedUs: timeUs,
      body,
    },
    { noNullPrototype: true },
  )
  .chain((event) => fc.constantFrom(event, { ...event, crc: crc32(event.body) }));

/** What `locate` finds in the middle of other bytes, `undefined` when it finds nothing. */
function locatedIn(line: string, around = '') {
  const bytes = Buffer.from(around + line + around);
  const from = Buffer.byteLength(around);
  const at = newLocated();
  if (!locate(bytes, from, bytes.length - from, at)) return undefined;
  const raw = bytes.toString('utf8', at.bodyFrom, at.bodyTo);
  return { ...at, body: at.quoted ? String(JSON.parse(raw)) : raw };
}

test('an event comes back as it was, whatever its body', () => {
  fc.assert(
    fc.property(envelope, (event) => assert.deepEqual(decodeEnvelope(encodeEnvelope(event)), event)),
    { numRuns: 500 },
  );
});

test('an event is one line of JSON, with the body in it as a value or as text', () => {
  fc.assert(
    fc.property(envelope, (event) => {
      const line = encodeEnvelope(event);
      assert.doesNotMatch(line, /[\r\n]/);
      const { id, topic, seq, planned, sent, accepted, crc, ...rest } = JSON.parse(line) as Record<
        string,
        unknown
      >;
      assert.deepEqual(
        { id, topic, seq, planned, sent, accepted, crc },
        {
          id: event.id,
          topic: event.topic,
          seq: event.seq,
          planned: event.plannedUs,
          sent: event.sentUs,
          accepted: event.acceptedUs,
          crc: event.crc,
        },
      );
      assert.deepEqual(
        rest,
        'text' in rest ? { text: event.body } : { body: JSON.parse(event.body) as unknown },
      );
    }),
    { numRuns: 500 },
  );
});

test('fields are found without parsing, also in the middle of other bytes', () => {
  fc.assert(
    fc.property(envelope, fc.constantFrom('', 'data: ', '}\n', '","topic":"x","seq":1,'), (event, around) => {
      const found = locatedIn(encodeEnvelope(event), around);
      assert.ok(found);
      const { topic, seq, plannedUs, sentUs, acceptedUs, crc, body: foundBody } = found;
      assert.deepEqual(
        { topic, seq, plannedUs, sentUs, acceptedUs, crc, body: foundBody },
        {
          topic: event.topic,
          seq: event.seq,
          plannedUs: event.plannedUs,
          sentUs: event.sentUs,
          acceptedUs: event.acceptedUs,
          crc: event.crc ?? -1,
          body: event.body,
        },
      );
    }),
  );
});

test('cut off at any byte, an event is not found, or its checksum tells', () => {
  fc.assert(
    fc.property(envelope, fc.boolean(), (event, restFollows) => {
      const whole = Buffer.from(encodeEnvelope({ ...event, crc: crc32(event.body) }));
      const at = newLocated();
      for (let to = 0; to < whole.length; to++) {
        // The bytes behind the cut may be the rest of the event, or not there at all.
        const bytes = restFollows ? whole : Buffer.from(whole.subarray(0, to));
        if (!locate(bytes, 0, to, at)) continue;
        assert.equal(at.quoted, false, 'the end of a text is never mistaken');
        assert.equal(whole[to - 1], 0x7d);
        assert.notEqual(crc32(whole.subarray(at.bodyFrom, at.bodyTo)), at.crc);
      }
    }),
    { numRuns: 200 },
  );
});

test('read whole, an event that was cut off at any byte is refused', () => {
  fc.assert(
    fc.property(envelope, (event) => {
      const line = encodeEnvelope(event);
      for (let to = 0; to < line.length; to++)
        assert.throws(() => decodeEnvelope(line.slice(0, to)), SyntaxError);
    }),
    { numRuns: 50 },
  );
});

test('any bytes are looked at without harm', () => {
  const start = '{"id":"a-1","topic":"t","seq":1,"planned":1,"sent":1,"accepted":1,';
  const piece = fc.constantFrom(
    start,
    '"',
    '{"id":"',
    '","topic":"',
    ',"seq":1',
    '"body":',
    '"text":"',
    '}',
    '\\',
    '12345678901234567890',
    '\n',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, text), { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''))),
      fc.nat(),
      fc.nat(),
      (bytes, a, b) => {
        const from = Math.min(a % (bytes.length + 1), b % (bytes.length + 1));
        const to = Math.max(a % (bytes.length + 1), b % (bytes.length + 1));
        const at = newLocated();
        if (!locate(bytes, from, to, at)) return;
        assert.ok(
          from < at.bodyFrom && at.bodyFrom <= at.bodyTo && at.bodyTo < to,
          'the body lies within what was given',
        );
      },
    ),
    { numRuns: 1000 },
  );
});

describe('by hand', () => {
  const event: Envelope = {
    id: 'k3f9a1-57',
    topic: 'news',
    seq: 12,
    plannedUs: 81,
    sentUs: 82,
    acceptedUs: 85,
    crc: 123,
    body: '{"a":1}',
  };
  const head = '{"id":"k3f9a1-57","topic":"news","seq":12,"planned":81,"sent":82,"accepted":85,"crc":123,';
  const bodies: [reads: string, body: string, tail: string][] = [
    ['JSON stands as it is', '{"a":1}', '"body":{"a":1}}'],
    ['JSON keeps its spaces', ' { "a" : 1 } ', '"body": { "a" : 1 } }'],
    ['JSON of one digit', '0', '"body":0}'],
    [
      'a number too large for JavaScript keeps its digits',
      '12345678901234567890123',
      '"body":12345678901234567890123}',
    ],
    ['JSON over several lines becomes text', '{\n}', String.raw`"text":"{\n}"}`],
    ['a carriage return alone makes it text', '[\r]', String.raw`"text":"[\r]"}`],
    ['what is no JSON becomes text', 'say "hi"', String.raw`"text":"say \"hi\""}`],
    ['nothing at all becomes text', '', '"text":""}'],
    ['a line separator, which SSE does not end a line at, stays', '"\u2028"', '"body":"\u2028"}'],
  ];
  for (const [reads, given, tail] of bodies) {
    test(reads, () => {
      assert.equal(encodeEnvelope({ ...event, body: given }), head + tail);
      assert.equal(decodeEnvelope(head + tail).body, given);
    });
  }

  const line = encodeEnvelope(event);
  const wrong: [reads: string, line: string][] = [
    ['an empty line', ''],
    [
      'some other JSON',
      JSON.stringify({
        id: 'k3f9a1-57',
        type: 'order.shipped',
        data: { orderId: '123', items: [1, 2, 3], total: 42 },
      }),
    ],
    ['fields in another order', line.replace('"planned":81,"sent":82', '"sent":82,"planned":81')],
    ['a missing number', line.replace('"seq":12', '"seq":')],
    ['a negative number', line.replace('"seq":12', '"seq":-1')],
    ['a fraction', line.replace('"sent":82', '"sent":8.2')],
    ['a number that JavaScript cannot hold', line.replace('"planned":81', '"planned":12345678901234567890')],
    ['a body under another name', line.replace('"body"', '"data"')],
    ['no body at all', line.replace('{"a":1}', '')],
    ['text without its quotes', line.replace('"body":{"a":1}', '"text":1')],
    ['text whose last quote is escaped', line.replace('"body":{"a":1}', String.raw`"text":"a\"`)],
    ['no brace at the end', line.replace('{"a":1}', '1').slice(0, -1)],
  ];
  for (const [reads, given] of wrong) {
    test(`${reads} is no event`, () => {
      assert.equal(locatedIn(given), undefined);
      assert.throws(() => decodeEnvelope(given), /SyntaxError: not an event envelope/);
    });
  }
});
