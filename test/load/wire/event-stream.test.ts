// The SSE parser against eventsource-parser, over random streams in random splits, and the WPT inputs.

import assert from 'node:assert/strict';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { test } from 'vitest';
import { newEventStream, readEvents, type EventStreamParts } from '../../../load/wire/event-stream.ts';
import { largestMessageBytes } from '../../../core/event/body-size.ts';
import { ProtocolError } from '../../../load/wire/protocol-error.ts';
import { split } from '../context.ts';

type Log = string[];

const parts: EventStreamParts<Log> = {
  event: (log, type, bytes, from, to) =>
    void log.push(`event ${type} ${JSON.stringify(bytes.toString('utf8', from, to))}`),
  id: (log, bytes, from, to) => void log.push(`id ${JSON.stringify(bytes.toString('utf8', from, to))}`),
  retry: (log, ms) => void log.push(`retry ${ms}`),
  comment: (log, bytes, from, to) =>
    void log.push(`comment ${JSON.stringify(bytes.toString('utf8', from, to).replace(/^ /, ''))}`),
};

/** Reads pieces through one shared buffer, as connections do, with old bytes behind the end. */
function ours(pieces: readonly Buffer[]): Log {
  const log: Log = [];
  const reader = newEventStream();
  const shared = Buffer.alloc(64 * 1024, 'data: stale\n\nid: stale\n\n');
  for (const piece of pieces) {
    piece.copy(shared);
    readEvents(reader, shared, 0, piece.length, 0, parts, log);
  }
  return log;
}

function theirs(bytes: Buffer): Log {
  const log: Log = [];
  const parser = createParser({
    onEvent: ({ event, data }) => void log.push(`event ${event ?? ''} ${JSON.stringify(data)}`),
    onId: (id) => void log.push(`id ${JSON.stringify(id)}`),
    onRetry: (ms) => void log.push(`retry ${ms}`),
    onComment: (text) => void log.push(`comment ${JSON.stringify(text)}`),
  });
  parser.feed(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  return log;
}

const text = fc
  .string({
    unit: fc.constantFrom('a', '7', ' ', ':', 'é', '€', '😀', '\t', '{', '"', '-', '0', 'data', '\ufeff'),
    maxLength: 12,
  })
  .map((value) => Buffer.from(value));
const odd = fc.constantFrom(
  Buffer.from([0xe2, 0x82]),
  Buffer.from([0xff]),
  Buffer.from([0]),
  Buffer.alloc(0),
);
const name = fc.constantFrom(
  'data',
  'data',
  'data',
  'id',
  'event',
  'retry',
  'Data',
  'datax',
  'dat',
  '',
  'x',
  'event\0',
);
const value = fc.oneof(
  fc.tuple(text, odd, text).map((all) => Buffer.concat(all)),
  fc.constantFrom(...['1000', '03000', '10x', 'k3f9a1-57', 'reset'].map((v) => Buffer.from(v))),
);
const field = fc
  .tuple(name, fc.constantFrom('', ':', ': ', ':  '), value)
  .map(([n, colon, v]) => Buffer.concat([Buffer.from(n + colon), v]));
const usual = fc
  .tuple(fc.nat(), text)
  .map(([id, data]) => Buffer.concat([Buffer.from(`id: abc-${id}\ndata: `), data, Buffer.from('\n\n')]));
const end = fc
  .constantFrom('\n', '\n', '\n\n', '\r', '\r\n', '\r\n\r\n', '\r\r', '\n\r')
  .map((v) => Buffer.from(v));
const line = fc.tuple(field, end).map((all) => Buffer.concat(all));
const bom = fc.constantFrom('', '', '\ufeff', '\ufeff\ufeff').map((v) => Buffer.from(v));
const stream = fc
  .tuple(bom, fc.array(fc.oneof(line, usual, end), { maxLength: 25 }))
  .map(([first, rest]) => Buffer.concat([first, ...rest]));

test('any stream, however it is split, reads as eventsource-parser reads it whole', () => {
  fc.assert(
    fc.property(
      stream,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
      (bytes, sizes) => {
        const expected = theirs(bytes);
        assert.deepEqual(ours(split(bytes, sizes)), expected);
        assert.deepEqual(ours(split(bytes, [1])), expected);
        assert.deepEqual(ours([bytes]), expected);
      },
    ),
    { numRuns: 3000 },
  );
});

// The inputs of the web platform tests, folder eventsource/, with what they ask for.
const table: [name: string, input: string, expected: Log][] = [
  [
    'the first byte order mark is dropped',
    '\ufeffdata:1\n\n\ufeffdata:2\n\ndata:3\n\n',
    ['event  "1"', 'event  "3"'],
  ],
  [
    'a second byte order mark spoils its line',
    '\ufeff\ufeffdata:1\n\ndata:2\n\ndata:3\n\n',
    ['event  "2"', 'event  "3"'],
  ],
  ['line ends of three kinds', 'data:test\r\ndata\ndata:test\r\n\r\n', ['event  "test\\n\\ntest"']],
  [
    'a field without a value, and two',
    'data:\n\ndata\ndata\n\ndata:test\n\n',
    ['event  ""', 'event  "\\n"', 'event  "test"'],
  ],
  [
    'one leading space is dropped, a tab is not',
    'data:\ttest\rdata: \ndata:test\n\n',
    ['event  "\\ttest\\n\\ntest"'],
  ],
  ['an id with NUL is ignored', 'id: a\0b\ndata: x\n\n', ['event  "x"']],
  [
    'an empty id resets it',
    'id: 1\ndata: x\n\nid\ndata: y\n\n',
    ['id "1"', 'event  "x"', 'id ""', 'event  "y"'],
  ],
  ['an id without data counts', 'id: 7\n\n', ['id "7"']],
  ['an event cut off is dropped, and its id', 'data: 1\n\nid: 2\ndata: 2\n', ['event  "1"']],
  ['a reconnection time of digits only', 'retry:03000\nretry:1000x\nretry:\n\n', ['retry 3000']],
  [
    'an empty type is the default',
    'event: \ndata: x\n\nevent: reset\ndata: {}\n\n',
    ['event  "x"', 'event reset "{}"'],
  ],
];
for (const [name, input, expected] of table) {
  test(name, () => {
    assert.deepEqual(ours([Buffer.from(input)]), expected);
    assert.deepEqual(ours(split(Buffer.from(input), [1])), expected);
  });
}

test('a line, and an event of many lines, longer than the limit is refused', () => {
  const long = { name: 'ProtocolError', code: 'too-long' };
  const piece = Buffer.alloc(64 * 1024, 'x');
  const endless = Array.from({ length: largestMessageBytes / piece.length + 1 }, () => piece);
  assert.throws(() => ours([Buffer.from('data: '), ...endless]), long);
  const lines = Array.from({ length: largestMessageBytes / 60_000 + 2 }, () =>
    Buffer.from(`data: ${'y'.repeat(60_000)}\n`),
  );
  assert.throws(
    () => ours(lines),
    (error) =>
      error instanceof ProtocolError && /^an SSE event is longer than \d+ bytes$/.test(error.message),
  );
});

test('nothing is kept between whole events', () => {
  const reader = newEventStream();
  const bytes = Buffer.from('data: {"a":1}\nid: 5\nevent: x\n\n');
  for (const piece of split(bytes, [7])) readEvents(reader, piece, 0, piece.length, 0, parts, []);
  assert.deepEqual(reader, { ...newEventStream(), first: false });
});
