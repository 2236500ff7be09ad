// Holds what a child process says of the error that ends it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { failedBy } from '../../../core/protocol/failed.ts';

test("a user's mistake keeps its code and its sentence", () => {
  assert.deepEqual(failedBy(new UserError('no-such', 'There is none.')), {
    kind: 'failed',
    code: 'no-such',
    message: 'There is none.',
  });
});

test('so does an error of the operating system', async () => {
  const first = createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const second = createServer().listen((first.address() as AddressInfo).port, '127.0.0.1');
  const [error] = await once(second, 'error');
  first.close();
  const { code, message } = failedBy(error);
  assert.equal(code, 'EADDRINUSE');
  assert.match(message, /^listen EADDRINUSE: [^\n]+$/);
});

test('anything else is a defect: with its stack, where there is one', () => {
  const { code, message } = failedBy(thrownBy(() => new URL('nowhere')));
  assert.equal(code, 'defect');
  assert.match(message, /Invalid URL\n +at /);
  assert.deepEqual(failedBy('a text'), { kind: 'failed', code: 'defect', message: 'a text' });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
