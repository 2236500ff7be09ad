// What servers compress with gzip, against node:zlib's own compressor: streams in every split, with the
// memory of what came before and without; whole bodies; and what is not gzip, or too much of it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { constants, createGzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'vitest';
import { createInflation, gunzipBody, isGzip } from '../../../load/wire/gunzip.ts';
import { largestMessageBytes } from '../../../core/event/body-size.ts';
import { ProtocolError } from '../../../load/wire/protocol-error.ts';
import { split, until } from '../context.ts';

/** What a server sends that flushes after each text; with its end when `whole`. */
async function compress(
  texts: readonly string[],
  { flush, whole }: { flush: number; whole: boolean },
): Promise<Buffer> {
  const gzip = createGzip();
  const pieces: Buffer[] = [];
  gzip.on('data', (piece: Buffer) => pieces.push(piece));
  for (const text of texts) {
    gzip.write(text);
    await new Promise<void>((resolve) => gzip.flush(flush, resolve));
  }
  if (whole) await new Promise((resolve) => gzip.once('end', resolve).end());
  return Buffer.concat(pieces);
}

function inflation(data = () => {}) {
  const got: Buffer[] = [];
  const failures: ProtocolError[] = [];
  const made = createInflation({
    data(bytes) {
      got.push(Buffer.from(bytes));
      data();
    },
    failed: (error) => failures.push(error),
  });
  return { ...made, got, failures, bytes: () => Buffer.concat(got) };
}

const texts = fc.array(
  fc.string({ unit: fc.constantFrom('{"id":', 'é', '😀', '\n', 'data: {"a":1}\n\n'), maxLength: 400 }),
  { minLength: 1, maxLength: 6 },
);

test('any stream, however it is flushed and split, gives the text that was compressed', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
  const flushes = fc.constantFrom(constants.Z_SYNC_FLUSH, constants.Z_FULL_FLUSH, constants.Z_PARTIAL_FLUSH);
  const shared = Buffer.alloc(64 * 1024, 'stale');
  await fc.assert(
    fc.asyncProperty(texts, sizes, flushes, fc.boolean(), async (given, pieceSizes, flush, whole) => {
      const bytes = await compress(given, { flush, whole });
      const { write, end, bytes: inflated, failures } = inflation();
      for (const piece of split(bytes, pieceSizes)) {
        piece.copy(shared, 3);
        write(shared, 3, 3 + piece.length, () => {});
        shared.fill('x');
      }
      const expected = Buffer.from(given.join(''));
      await until(() => inflated().length >= expected.length);
      assert.deepEqual(inflated(), expected);
      if (whole) await new Promise<void>(end);
      assert.deepEqual(failures, []);
    }),
    { numRuns: 60 },
  );
});

test('what was inflated comes in bounded pieces, and a reader that refuses one gets no more', async () => {
  const bytes = gzipSync(' '.repeat(3_000_000));
  const all = inflation();
  all.write(bytes, 0, bytes.length, () => {});
  await new Promise<void>(all.end);
  assert.equal(all.bytes().length, 3_000_000);
  assert.ok(all.got.every(({ length }) => length <= 16 * 1024));
  const refused = new ProtocolError('too-long', 'enough');
  const { write, got, failures } = inflation(() => {
    if (got.length === 3) throw refused;
  });
  await new Promise<void>((resolve) => write(bytes, 0, bytes.length, resolve));
  assert.deepEqual([failures, got.length], [[refused], 3]);
  await new Promise<void>((resolve) => write(bytes, 0, bytes.length, resolve)); // let go at once
  assert.equal(got.length, 3);
});

for (const [what, bytes] of [
  ['no gzip', Buffer.from('{"stream":"open"}\n')],
  ['a damaged block', Buffer.concat([gzipSync('').subarray(0, 10), Buffer.from([0xff, 0xff, 0xff, 0xff])])],
  ['a wrong sum at the end', Buffer.concat([gzipSync('hello').subarray(0, -8), Buffer.alloc(8, 1)])],
  ['an end that is missing', gzipSync('hello').subarray(0, -9)],
] as const) {
  test(`${what} is an error, in a stream and in a body`, async () => {
    const { write, end, failures } = inflation();
    const written = new Promise<void>((resolve) => write(bytes, 0, bytes.length, resolve));
    end(() => assert.fail('it has no end'));
    await until(() => failures.length > 0);
    await written;
    const [error] = failures;
    assert.deepEqual([error!.name, error!.code, failures.length], ['ProtocolError', 'gzip', 1]);
    assert.match(error!.message, /^a compressed answer cannot be read: ./);
    assert.throws(() => gunzipBody(bytes, 0, bytes.length, 1e6), { code: 'gzip', message: error!.message });
  });
}

test('what comes faster than it can be inflated is not collected without bound', async () => {
  const bytes = gzipSync(randomBytes(100_000));
  const { write, failures } = inflation();
  let written = 0;
  for (let sent = 0; sent <= largestMessageBytes + bytes.length; sent += bytes.length)
    write(bytes, 0, bytes.length, () => written++);
  assert.deepEqual(
    failures.map(({ code, message }) => [code, message]),
    [['gzip-behind', `more than ${largestMessageBytes} compressed bytes wait to be inflated`]],
  );
  await until(() => written >= largestMessageBytes / bytes.length, 'every piece is let go');
});

test('a body is inflated where it lies, up to the bound', () => {
  const bytes = Buffer.concat([Buffer.from('before'), gzipSync('é'.repeat(500)), Buffer.from('behind')]);
  assert.equal(gunzipBody(bytes, 6, bytes.length - 6, 1000).toString(), 'é'.repeat(500));
  assert.throws(() => gunzipBody(bytes, 6, bytes.length - 6, 999), {
    code: 'http-body-too-large',
    message: "an answer's body is larger than 999 bytes when it is inflated",
  });
});

test('the content coding of an answer: none, gzip by either name, or one that nobody asked for', () => {
  const codingOf = (value: string) => isGzip({ headers: new Map([['content-encoding', value]]) });
  assert.equal(isGzip({ headers: new Map() }), false);
  assert.deepEqual(['identity', 'gzip', 'GZIP', 'x-gzip'].map(codingOf), [false, true, true, true]);
  for (const value of ['br', 'gzip, gzip', 'deflate']) {
    assert.throws(() => codingOf(value), {
      code: 'http-coding',
      message: `the answer has the content coding "${value}", which was not asked for`,
    });
  }
});
