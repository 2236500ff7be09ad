// Holds where a URL leads, above all when it names no port.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { addressOf } from '../../../core/base/address.ts';

test('a URL leads to its host and port, or to the usual port of its scheme', () => {
  const led = ['http', 'https', 'ws', 'wss', 'redis', 'nats'].map((scheme) => [
    scheme,
    addressOf(`${scheme}://127.0.0.1`).port,
    addressOf(`${scheme}://127.0.0.1:99`).port,
  ]);
  assert.deepEqual(led, [
    ['http', 80, 99],
    ['https', 443, 99],
    ['ws', 80, 99],
    ['wss', 443, 99],
    ['redis', 6379, 99],
    ['nats', 4222, 99],
  ]);
  assert.deepEqual(addressOf('redis://[::1]/0'), { host: '::1', port: 6379 });
  assert.deepEqual(addressOf(new URL('http://[::1]:8080/path')), { host: '::1', port: 8080 });
});

test('one that leads nowhere is refused', () => {
  for (const text of ['127.0.0.1', 'tls://127.0.0.1']) assert.throws(() => addressOf(text), TypeError);
});
