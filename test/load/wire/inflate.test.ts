// permessage-deflate, against node:zlib's own compressor and the RFC's vectors.

import assert from 'node:assert/strict';
import { constants, createDeflateRaw, type DeflateRaw } from 'node:zlib';
import { test } from 'vitest';
import { inflateMessage, newInflater } from '../../../load/wire/inflate.ts';
import { largestMessageBytes } from '../../../core/event/body-size.ts';
import { generateBody } from '../../../core/plan/bodies.ts';
import { random } from '../../../core/base/random.ts';

/** Compresses as a server does: one context for all messages, each ended by a flush whose tail is cut off. */
async function compress(context: DeflateRaw, text: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const take = (piece: Buffer) => void pieces.push(piece);
  context.on('data', take);
  context.write(text);
  await new Promise<void>((resolve) => context.flush(constants.Z_SYNC_FLUSH, resolve));
  context.off('data', take);
  return Buffer.concat(pieces).subarray(0, -4);
}

const inflate = (inflater: ReturnType<typeof newInflater>, message: Buffer) =>
  inflateMessage(
    inflater,
    Buffer.concat([Buffer.from('xx'), message, Buffer.from('yy')]),
    2,
    2 + message.length,
  ).toString();

test('the vectors of RFC 7692', () => {
  assert.equal(
    inflate(newInflater('permessage-deflate', true), Buffer.from('f248cdc9c90700', 'hex')),
    'Hello',
  );
  // The same text once more, a reference to the first (section 7.2.3.2).
  const inflater = newInflater('permessage-deflate; client_no_context_takeover', true);
  assert.equal(inflate(inflater, Buffer.from('f248cdc9c90700', 'hex')), 'Hello');
  assert.equal(inflate(inflater, Buffer.from('f200110000', 'hex')), 'Hello');
});

test('messages that lean on those before, over more than a window, are read', async () => {
  const context = createDeflateRaw();
  const inflater = newInflater('permessage-deflate; server_max_window_bits=15', true);
  for (let i = 0; i < 60; i++) {
    const text = generateBody(i % 7 === 0 ? 40_000 : 1500, random(i % 5, 'body'));
    assert.equal(inflate(inflater, await compress(context, text)), text);
  }
  assert.ok(inflater.window!.length <= 32 * 1024);
});

test('without context takeover nothing is kept', () => {
  const inflater = newInflater('permessage-deflate; server_no_context_takeover', true);
  for (let i = 0; i < 2; i++) assert.equal(inflate(inflater, Buffer.from('f248cdc9c90700', 'hex')), 'Hello');
  assert.equal(inflater.window, undefined);
});

for (const extension of [
  '',
  'x-other',
  'permessage-deflate; client_max_window_bits=10',
  'permessage-deflate; server_max_window_bits=7',
  'permessage-deflate, x',
]) {
  test(`an extension that was not offered is refused: "${extension}"`, () => {
    const refused = {
      code: 'ws-extension',
      message: `the server chose an extension that was not offered: "${extension}"`,
    };
    assert.throws(() => newInflater(extension, true), refused);
  });
}

test('what is not deflate is refused, and what inflates beyond the limit', async () => {
  const inflater = newInflater('permessage-deflate', true);
  assert.throws(() => inflate(inflater, Buffer.from('ffffff', 'hex')), {
    code: 'ws-deflate',
    message: /^a compressed message cannot be read: /,
  });
  const bomb = await compress(createDeflateRaw(), ' '.repeat(largestMessageBytes + 1));
  assert.throws(() => inflate(inflater, bomb), {
    code: 'too-long',
    message: `a message is longer than ${largestMessageBytes} bytes`,
  });
});

test('nothing is right where nothing was offered', () => {
  assert.throws(() => newInflater('permessage-deflate', false), {
    message: 'the server chose an extension that was not offered: "permessage-deflate"',
  });
});
