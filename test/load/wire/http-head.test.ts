// HTTP/1.1 responses in every framing and every split, and what is malformed.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  endResponses,
  maxHeadBytes,
  newResponseReader,
  readResponse,
  type ResponseParts,
} from '../../../load/wire/http-head.ts';
import { split } from '../context.ts';

type Answer = {
  status: number;
  etag: string | undefined;
  keepAlive: boolean;
  body: string;
  complete: boolean;
};
type Log = Answer[];

const parts: ResponseParts<Log> = {
  head: (log, { status, headers, keepAlive }) =>
    void log.push({ status, etag: headers.get('etag'), keepAlive, body: '', complete: false }),
  body: (log, bytes, from, to) => void (log.at(-1)!.body += bytes.toString('latin1', from, to)),
  end: (log) => void (log.at(-1)!.complete = true),
};

/** Reads pieces through one shared buffer, as connections do, with old bytes behind the end. */
function read(
  pieces: readonly Buffer[],
  { closed = false } = {},
): { log: Log; whole: boolean; rest: number } {
  const log: Log = [];
  const reader = newResponseReader();
  const shared = Buffer.alloc(64 * 1024, 'HTTP/1.1 200 OK\r\n\r\n0\r\n\r\n');
  let rest = 0;
  for (const piece of pieces) {
    piece.copy(shared);
    rest = piece.length - readResponse(reader, shared, 0, piece.length, 0, parts, log);
  }
  return { log, whole: closed ? endResponses(reader, 0, parts, log) : true, rest };
}

const body = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', ':', ';'), maxLength: 60 });
const etag = fc.option(fc.constantFrom('"abc-1"', 'W/"x, y"'), { nil: undefined });
const caseOf = fc.constantFrom(
  (name: string) => name,
  (name: string) => name.toUpperCase(),
  (name: string) => name.replace(/^./, (c) => c.toUpperCase()),
);
const interim = fc.constantFrom(
  '',
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n',
);

const response = fc
  .record({
    body,
    etag,
    caseOf,
    interim,
    close: fc.boolean(),
    framing: fc.constantFrom('length', 'chunked', 'none'),
    sizes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
    extension: fc.constantFrom('', ';a=b', ' ; q="x"'),
    trailer: fc.constantFrom('', 'x-sum: 1\r\n', 'a: 1\r\nb: 2\r\n'),
  })
  .map((r) => {
    const status = r.framing === 'none' ? 304 : 200;
    const framing = {
      length: `${r.caseOf('content-length')}: ${r.body.length}\r\n`,
      chunked: `${r.caseOf('transfer-encoding')}: chunked\r\n`,
      none: '',
    }[r.framing]!;
    const tag = r.etag === undefined ? '' : `${r.caseOf('etag')}:${r.etag} \r\n`;
    const connection = r.close ? `${r.caseOf('connection')}: foo, Close\r\n` : '';
    const chunks = split(Buffer.from(r.body), r.sizes)
      .map((c) => `${c.length.toString(16)}${r.extension}\r\n${c.toString()}\r\n`)
      .join('');
    const payload = { length: r.body, chunked: `${chunks}0${r.extension}\r\n${r.trailer}\r\n`, none: '' }[
      r.framing
    ]!;
    const expected: Answer = {
      status,
      etag: r.etag,
      keepAlive: !r.close,
      body: r.framing === 'none' ? '' : r.body,
      complete: true,
    };
    return {
      bytes: Buffer.from(
        `${r.interim}HTTP/1.1 ${status} Fine\r\n${tag}${framing}${connection}\r\n${payload}`,
      ),
      expected,
    };
  });

test('responses of every framing, one behind the other, read the same however they are split', () => {
  fc.assert(
    fc.property(
      fc.array(response, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 }),
      (responses, sizes) => {
        const bytes = Buffer.concat(responses.map((r) => r.bytes));
        const expected = responses.map((r) => r.expected);
        for (const pieces of [[bytes], split(bytes, sizes), split(bytes, [1])]) {
          const { log, whole } = read(pieces, { closed: true });
          assert.deepEqual(log, expected);
          assert.equal(whole, true);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('a body without framing lasts until the connection closes, and the connection is not kept', () => {
  const { log, whole } = read([Buffer.from('HTTP/1.1 200 OK\r\n\r\nab'), Buffer.from('cd')], {
    closed: true,
  });
  assert.deepEqual(log, [{ status: 200, etag: undefined, keepAlive: false, body: 'abcd', complete: true }]);
  assert.equal(whole, true);
});

for (const [what, text] of [
  ['a head', 'HTTP/1.1 200 OK\r\ncontent-le'],
  ['a body', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'],
  ['a chunked body', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n'],
] as const) {
  test(`${what} that the connection cuts short is not whole`, () =>
    assert.equal(read([Buffer.from(text)], { closed: true }).whole, false));
}

test('behind 101 the bytes belong to the new protocol', () => {
  const head = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n';
  const { log, rest } = read([Buffer.from(`${head}xyz`)]);
  assert.equal(log[0]!.status, 101);
  assert.equal(rest, 3);
});

test('HTTP/1.0 keeps a connection only when it says so', () => {
  const keepAlive = (text: string) => read([Buffer.from(text)]).log[0]!.keepAlive;
  assert.equal(keepAlive('HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'), false);
  assert.equal(keepAlive('HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 0\r\n\r\n'), true);
});

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
const malformed: [what: string, text: string, code: string, message: RegExp][] = [
  ['no status line', 'SSH-2.0-OpenSSH\r\n\r\n', 'http-head', /^the answer is not an HTTP\/1 response$/],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nhello\r\n\r\n', 'http-head', /malformed header line/],
  [
    'a header with a blank in its name',
    'HTTP/1.1 200 OK\r\na b: c\r\n\r\n',
    'http-head',
    /malformed header line/,
  ],
  [
    'a length that is no number',
    'HTTP/1.1 200 OK\r\ncontent-length: 5x\r\n\r\n',
    'http-head',
    /malformed content-length/,
  ],
  [
    'two different lengths',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n',
    'http-head',
    /malformed content-length/,
  ],
  [
    'a list of two different lengths',
    'HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\n',
    'http-head',
    /malformed content-length/,
  ],
  [
    'a length with a plus',
    'HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n',
    'http-head',
    /malformed content-length/,
  ],
  [
    'a length above all bounds',
    'HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551621\r\n\r\n',
    'http-head',
    /malformed content-length/,
  ],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
    'http-head',
    /a content-length and a transfer coding/,
  ],
  [
    'chunks and a length',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n',
    'http-head',
    /a content-length and a transfer coding/,
  ],
  [
    'gzip in chunks',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n',
    'http-head',
    /transfer coding "gzip, chunked"; only chunked/,
  ],
  [
    'gzip in chunks, in two fields',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n',
    'http-head',
    /transfer coding "gzip, chunked"/,
  ],
  [
    'gzip to the end of the connection',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n',
    'http-head',
    /transfer coding "gzip"/,
  ],
  [
    'chunks in chunks',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n',
    'http-head',
    /transfer coding "chunked, chunked"/,
  ],
  [
    'chunks in HTTP/1.0',
    'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
    'http-head',
    /a transfer coding in HTTP\/1\.0/,
  ],
  [
    'a bare LF in the status line',
    'HTTP/1.1 200 OK\ncontent-length: 5\r\n\r\n',
    'http-head',
    /a bare CR or LF/,
  ],
  [
    'a bare CR in a value',
    'HTTP/1.1 200 OK\r\nx: a\rcontent-length: 5\r\n\r\n',
    'http-head',
    /a bare CR or LF/,
  ],
  ['a NUL in a value', 'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n', 'http-head', /a NUL/],
  ['a folded line', 'HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n', 'http-head', /malformed header line/],
  ['a bare LF behind a chunk size', `${chunked}2\nab\r\n`, 'http-chunk', /size line has a bare LF/],
  ['a bare LF behind a chunk extension', `${chunked}2;a=b\nab\r\n`, 'http-chunk', /size line has a bare LF/],
  ['a bare CR behind a chunk size', `${chunked}2\rab\r\n`, 'http-chunk', /size line has a bare CR/],
  ['a bare LF in the trailers', `${chunked}0\r\na: b\n\r\n`, 'http-chunk', /trailers have a bare LF/],
  ['a bare LF at the end', `${chunked}0\r\n\n`, 'http-chunk', /trailers have a bare LF/],
  ['a bare CR in the trailers', `${chunked}0\r\na: b\rc: d\r\n\r\n`, 'http-chunk', /trailers have a bare CR/],
  [
    'an oversized head',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(maxHeadBytes)}\r\n\r\n`,
    'http-head-too-large',
    /^the response's head is larger than 16384 bytes$/,
  ],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(4000)}`, 'http-head-too-large', /larger/],
  ['a chunk size that is none', `${chunked}xyz\r\n`, 'http-chunk', /malformed size/],
  ['a chunk size that is missing', `${chunked}\r\nab`, 'http-chunk', /malformed size/],
  ['a chunk size that is a line feed', `${chunked}\nab`, 'http-chunk', /malformed size/],
  ['a chunk size beyond all bounds', `${chunked}ffffffffffffffff\r\n`, 'http-chunk', /malformed size/],
  [
    'a chunk longer than its size',
    `${chunked}2\r\nabc\r\n`,
    'http-chunk',
    /^a chunk is longer than its size says$/,
  ],
  [
    'a chunk size line without end',
    `${chunked}2;${'x'.repeat(5000)}`,
    'http-chunk',
    /size line is longer than 4096 bytes/,
  ],
  [
    'trailers without end',
    `${chunked}0\r\n${'a: b\r\n'.repeat(1000)}`,
    'http-chunk',
    /trailers are longer than 4096 bytes/,
  ],
];
for (const [what, text, code, message] of malformed) {
  test(`${what} is a protocol error`, () => {
    for (const sizes of [[text.length], [100], [1]])
      assert.throws(() => read(split(Buffer.from(text), sizes)), { name: 'ProtocolError', code, message });
  });
}
