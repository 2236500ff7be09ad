// Subscribers that leave for a while and come back, on a clock that the test moves.

import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { createLeaving } from '../../../load/subscribers/leaving.ts';

function scripted() {
  const said: string[] = [];
  return {
    said,
    running: {
      open() {},
      close: async () => {},
      leave: (i: number) => void said.push(`-${i}`),
      comeBack: (i: number) => void said.push(`+${i}`),
    },
  };
}

test('a share of those who are there leaves, and the same come back', (context) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  context.onTestFinished(() => void vi.useRealTimers());
  const { said, running } = scripted();
  const leaving = createLeaving({ first: 10, count: 20, seed: 1 }, running);
  leaving.begin(0.5, 1000);
  const left = said.map((one) => one.slice(1));
  assert.equal(new Set(left).size, 10);
  assert.ok(left.every((i) => Number(i) >= 10 && Number(i) < 30));
  leaving.begin(1, 1000);
  assert.equal(new Set(said.map((one) => one.slice(1))).size, 20, 'nobody leaves twice');
  vi.advanceTimersByTime(1000);
  assert.deepEqual(
    said.slice(20, 30),
    left.map((i) => `+${i}`),
  );
  assert.equal(said.length, 40);
});

test('once stopped nobody comes back', (context) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  context.onTestFinished(() => void vi.useRealTimers());
  const { said, running } = scripted();
  const leaving = createLeaving({ first: 0, count: 4, seed: 1 }, running);
  leaving.begin(0.5, 1000);
  leaving.stop();
  vi.advanceTimersByTime(2000);
  assert.deepEqual(
    said.filter((one) => one.startsWith('+')),
    [],
  );
});
