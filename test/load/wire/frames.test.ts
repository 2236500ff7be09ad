// WebSocket frames in every split, and what a server must not send.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  encodeFrame,
  newFrameReader,
  opcodes,
  readFrames,
  type FrameParts,
} from '../../../load/wire/frames.ts';
import { largestMessageBytes } from '../../../core/event/body-size.ts';
import { split } from '../context.ts';

const parts: FrameParts<string[]> = {
  message: (log, opcode, compressed, bytes, from, to) =>
    void log.push(`${opcode}${compressed ? 'z' : ''} ${bytes.toString('latin1', from, to)}`),
  ping: (log, bytes, from, to) => void log.push(`ping ${bytes.toString('latin1', from, to)}`),
  close: (log, code) => void log.push(`close ${code}`),
};

function read(pieces: readonly Buffer[], { deflate = false } = {}): string[] {
  const log: string[] = [];
  const reader = { ...newFrameReader(), deflate };
  const shared = Buffer.alloc(128 * 1024, 0x81);
  for (const piece of pieces) {
    piece.copy(shared);
    readFrames(reader, shared, 0, piece.length, 0, parts, log);
  }
  return log;
}

/** A server's frame, written from the picture in RFC 6455, section 5.2. */
function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = first;
  head[1] = length < 126 ? length : length < 65536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

const payload = fc
  .oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(125, 126, 127, 65535, 65536))
  .map((length) => Buffer.from(Array.from({ length }, (_, i) => 97 + (i % 26))));
const small = fc.integer({ min: 0, max: 125 }).map((length) => Buffer.alloc(length, 'p'));
const control = fc.oneof(
  small.map((bytes) => ({ bytes: frame(0x89, bytes), log: [`ping ${bytes.toString()}`] })),
  small.map((bytes) => ({ bytes: frame(0x8a, bytes), log: [] as string[] })),
);
const message = fc
  .record({
    opcode: fc.constantFrom(1, 2),
    fragments: fc.array(payload, { minLength: 1, maxLength: 4 }),
    between: fc.array(control, { maxLength: 2 }),
    compressed: fc.boolean(),
  })
  .map(({ opcode, fragments, between, compressed }) => {
    const frames = fragments.map((bytes, i) =>
      frame(
        (i === fragments.length - 1 ? 0x80 : 0) | (i === 0 ? opcode | (compressed ? 0x40 : 0) : 0),
        bytes,
      ),
    );
    const inside = fragments.length > 1 ? between : [];
    return {
      bytes: Buffer.concat([frames[0]!, ...inside.map((c) => c.bytes), ...frames.slice(1)]),
      log: [
        ...inside.flatMap((c) => c.log),
        `${opcode}${compressed ? 'z' : ''} ${Buffer.concat(fragments).toString()}`,
      ],
    };
  });

test('messages, fragmented or not, with control frames between, read the same however they are split', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(message, control), { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }),
      (items, sizes) => {
        const bytes = Buffer.concat(items.map((item) => item.bytes));
        const expected = items.flatMap((item) => item.log);
        assert.deepEqual(read(split(bytes, sizes), { deflate: true }), expected);
        assert.deepEqual(read(split(bytes, [100_000]), { deflate: true }), expected);
        if (bytes.length < 5000) assert.deepEqual(read(split(bytes, [1]), { deflate: true }), expected);
      },
    ),
    { numRuns: 300 },
  );
});

const bytes = (...values: number[]) => Buffer.from(values);
const malformed: [what: string, bytes: Buffer, message: RegExp][] = [
  ['a masked frame', bytes(0x81, 0x81, 1, 2, 3, 4, 5), /^a frame from the server is masked$/],
  ['RSV1 without compression', bytes(0xc1, 0), /reserved bits/],
  ['RSV2', bytes(0xa1, 0), /reserved bits/],
  ['RSV3', bytes(0x91, 0), /reserved bits/],
  ['the opcode 3', bytes(0x83, 0), /^a frame has the reserved opcode 3$/],
  ['the opcode 11', bytes(0x8b, 0), /^a frame has the reserved opcode 11$/],
  ['a fragmented ping', bytes(0x09, 0), /^a control frame is fragmented$/],
  ['a long ping', frame(0x89, Buffer.alloc(126)), /^a control frame is longer than 125 bytes$/],
  ['a length in more bytes than it needs', bytes(0x81, 126, 0, 125), /in more bytes than it needs/],
  [
    'a length in eight bytes that fits in two',
    bytes(0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
    /malformed length/,
  ],
  ['a length with its highest bit set', bytes(0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0), /malformed length/],
  ['a continuation of nothing', bytes(0x80, 0), /^a continuation without a message$/],
  [
    'a message within a message',
    Buffer.concat([frame(0x01, Buffer.from('a')), frame(0x81, Buffer.from('b'))]),
    /^a new message began inside another$/,
  ],
  ['a close with half a code', bytes(0x88, 1, 3), /invalid code 0$/],
  ['a close with a code that may not travel', bytes(0x88, 2, 0x03, 0xed), /invalid code 1005$/],
  [
    'a close with a reason that is not UTF-8',
    bytes(0x88, 3, 0x03, 0xe8, 0xff),
    /reason in a close frame is not UTF-8/,
  ],
];
for (const [what, input, message] of malformed) {
  test(`${what} is a protocol error`, () => {
    for (const size of [input.length, 1])
      assert.throws(() => read(split(input, [size])), { name: 'ProtocolError', code: 'ws-frame', message });
  });
}

test('a close frame gives its code, or that it has none', () => {
  assert.deepEqual(read([bytes(0x88, 0)]), ['close 1005']);
  assert.deepEqual(read([bytes(0x88, 4, 0x03, 0xf4, 0x6f, 0x6b)]), ['close 1012']);
});

test('a frame, and a message of many, longer than the limit is refused before it has come', () => {
  const head = Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(largestMessageBytes), 2);
  assert.throws(() => read([head]), {
    code: 'too-long',
    message: `a frame is longer than ${largestMessageBytes} bytes`,
  });
  const fragment = Buffer.alloc(100_000);
  const many = [
    frame(0x01, fragment),
    ...Array.from({ length: largestMessageBytes / fragment.length }, () => frame(0x00, fragment)),
  ];
  assert.throws(() => read(many), {
    code: 'too-long',
    message: `a message is longer than ${largestMessageBytes} bytes`,
  });
});

test("a client's frame is masked and as long as it should be", () => {
  const mask = 0x37fa213d;
  // The masked text of RFC 6455, section 5.7.
  assert.deepEqual(
    encodeFrame(opcodes.text, Buffer.from('Hello'), mask),
    bytes(0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58),
  );
  assert.deepEqual(encodeFrame(opcodes.pong, Buffer.alloc(126), 0).subarray(0, 4), bytes(0x8a, 0xfe, 0, 126));
  assert.deepEqual(
    encodeFrame(opcodes.text, Buffer.alloc(65_535), 0).subarray(0, 8),
    bytes(0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0),
  );
  assert.deepEqual(
    encodeFrame(opcodes.text, Buffer.alloc(65_536), 0).subarray(0, 14),
    bytes(0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),
  );
});
