// Holds the bytes of answers in the model of webhooks against those that a real receiver sends.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { newCounters } from '../../../../core/result/counters.ts';
import { startReceiver } from '../../../../load/webhook/receiver.ts';
import { answerBytes, laterBytes } from '../../../../simulation/models/webhook-wire.ts';

const sink = {
  ready() {},
  lost() {},
  reset() {},
  gone() {},
  problem: (code: string, message: string) => assert.fail(`${code}: ${message}`),
  event: () => true,
};

test.for([204, 400, 404, 410, 429, 500, 503])('answered with %d', async (status) => {
  const counters = newCounters();
  const receiver = await startReceiver({ counters, sink }, () => ({
    kind: 'answer',
    status,
    afterMs: 0,
    acted: status === 204,
  }));
  try {
    const response = await fetch(receiver.urlOf(7), { method: 'POST', body: '{}' });
    assert.equal(response.status, status);
    await response.arrayBuffer();
  } finally {
    await receiver.close(1000);
  }
  assert.equal(counters.bytesOut, answerBytes(status));
});

test('a request is longer by the digits of its attempt', () => {
  assert.deepEqual([1, 9, 10, 99, 100].map(laterBytes), [0, 0, 1, 1, 2]);
});
