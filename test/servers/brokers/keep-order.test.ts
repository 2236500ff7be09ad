// Holds that a topic's events stay in order where a broker takes nothing for a moment: those behind one that
// was refused are refused as well, until it comes again.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { behindMs, keepOrder } from '../../../servers/brokers/keep-order.ts';
import { RequestError } from '../../../servers/http/request.ts';

function setUp() {
  const at = { nowMs: 0, away: false };
  const taken: string[] = [];
  const publish = keepOrder(
    async (topic, _body, { seq }) => {
      if (at.away) throw new RequestError(503, 'broker-away', 'took nothing');
      taken.push(`${topic} ${seq}`);
      return { id: `e-${taken.length}`, seq: seq ?? 0 };
    },
    '127.0.0.1:6379',
    () => at.nowMs,
  );
  const send = (topic: string, seq: number) => publish(topic, '{}', { seq }, { key: `${topic}-${seq}` });
  const refuses = (sent: Promise<unknown>) =>
    assert.rejects(sent, (error) => error instanceof RequestError && error.code === 'broker-away');
  return { at, taken, publish, send, refuses };
}

test('what was sent behind a refused event waits for it', async () => {
  const { at, taken, send, refuses } = setUp();
  await send('a', 1);
  at.away = true;
  await refuses(send('a', 2));
  at.away = false;
  await refuses(send('a', 3));
  await send('b', 1); // another topic has nothing to do with it
  await send('a', 2);
  await send('a', 3);
  assert.deepEqual(taken, ['a 1', 'b 1', 'a 2', 'a 3']);
});

test('for a moment: another server may have taken the refused one', async () => {
  const { at, taken, send, refuses } = setUp();
  at.away = true;
  await refuses(send('a', 1));
  await refuses(send('a', 2));
  at.away = false;
  at.nowMs = behindMs - 1;
  await refuses(send('a', 2));
  at.nowMs = behindMs;
  await send('a', 3);
  assert.deepEqual(taken, ['a 3']);
});

test('what nobody sends again is not held up', async () => {
  const { at, taken, publish, send, refuses } = setUp();
  at.away = true;
  await refuses(send('a', 1));
  at.away = false;
  await publish('a', '{}', { seq: 2 });
  await publish('a', '{}', {}, { key: 'k' });
  assert.deepEqual(taken, ['a 2', 'a undefined']);
});
