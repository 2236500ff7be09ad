// Checks that nobody waits for an SQS that takes a request and says nothing, or stops in the middle of its
// answer.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { connectSqs, textOf } from '../../../../servers/webhook/sqs/api.ts';
import { bareReceiver } from '../../receivers.ts';

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 1000\r\n\r\n';

describe('an SQS that', { concurrent: true }, () => {
  for (const [what, said] of [
    ['says nothing', ''],
    ['stops in the middle of an answer', `${head}{"Failed":[`],
  ] as const) {
    test(`${what} is given up: what was sent may be there, and the rest fails`, async (t) => {
      const at = await bareReceiver(t, (socket) => void socket.write(said));
      const url = `${at.url}/0/q`;
      const api = await connectSqs(url);
      t.onTestFinished(() => api.close());
      const failed = (asking: Promise<unknown>) => asking.then(() => 'it was answered', textOf);
      const { signal } = new AbortController();
      const [sent, ...others] = await Promise.all([
        api.send(url, [{ body: 'a' }, { body: 'b' }]),
        failed(api.receive(10, 15, 0, signal)),
        failed(api.remove(['h'])),
        failed(api.hide('h', 1)),
        failed(api.attributes(url)),
      ]);
      assert.deepEqual(
        sent.map(({ state }) => state),
        ['unknown', 'unknown'],
      );
      assert.equal(at.requests(), 5);
      for (const why of others) assert.match(why, /TimeoutError: no whole answer within 3000 ms/);
    });
  }
});
