// Holds what the network decides, in virtual time: bytes keep their order, a link carries what its bandwidth
// says, latency lies within its bounds, and losses cost what TCP's timeouts cost.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { random } from '../../core/base/random.ts';
import type { Conditions } from '../../core/network/conditions.ts';
import {
  arrivalUs,
  handshakeUs,
  idleCheckMs,
  isIdle,
  isSilent,
  newLink,
  pieceBytes,
} from '../../network/conditions.ts';

const ms = 1000;
const never = () => 0.999999;

/** Sends pieces at these moments. @returns when each arrives */
function arrivals(
  sent: readonly { atUs: number; bytes: number }[],
  conditions: Conditions,
  next = random(7, 'test'),
): number[] {
  const link = newLink(0);
  return sent.map(({ atUs, bytes }) => arrivalUs(link, bytes, atUs, conditions, 'down', next));
}

describe('whatever the conditions', () => {
  const conditions = fc.record(
    {
      latencyMs: fc.integer({ min: 0, max: 300 }),
      jitterMs: fc.constant(0),
      loss: fc.double({ min: 0.001, max: 0.5, noNaN: true }),
      bandwidth: fc.record({ down: fc.integer({ min: 1024, max: 1e9 }) }),
    },
    { requiredKeys: [] },
  );
  const gaps = fc.array(fc.record({ gapUs: fc.nat(50_000), bytes: fc.integer({ min: 1, max: 70_000 }) }));

  test('nothing arrives before what was sent earlier, nor before it was sent', () => {
    fc.assert(
      fc.property(conditions, gaps, fc.nat(1e6), (some, list, seed) => {
        let atUs = 0;
        const sent = list.map(({ gapUs, bytes }) => ({ atUs: (atUs += gapUs), bytes }));
        const withJitter = { ...some, jitterMs: (some.latencyMs ?? 0) / 2 };
        const seen = arrivals(sent, withJitter, random(seed, 'p'));
        seen.forEach((arrived, i) => {
          assert.ok(arrived >= sent[i]!.atUs + 1000 * ((some.latencyMs ?? 0) / 2));
          assert.ok(i === 0 || arrived >= seen[i - 1]!);
        });
      }),
    );
  });

  test('a link carries its bandwidth and what its bucket held, and no more', () => {
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1024, max: 1e7 }), (list, perS) => {
        let atUs = 0;
        const sent = list.map(({ gapUs, bytes }) => ({ atUs: (atUs += gapUs), bytes }));
        const seen = arrivals(sent, { bandwidth: { down: perS } });
        const bucket = Math.max(1448, perS / 50);
        let carried = 0;
        seen.forEach((arrived, i) => {
          carried += sent[i]!.bytes;
          assert.ok(carried <= bucket + (perS * arrived) / 1e6 + 1, `${carried} by ${arrived}`);
        });
      }),
    );
  });
});

test('latency is that, and with jitter between the two bounds', () => {
  const every = Array.from({ length: 1000 }, (_, i) => ({ atUs: i * 1e6, bytes: 100 }));
  const delays = (conditions: Conditions) =>
    arrivals(every, conditions).map((at, i) => (at - every[i]!.atUs) / ms);
  assert.deepEqual(new Set(delays({ latencyMs: 40 })), new Set([40]));
  const jittered = delays({ latencyMs: 40, jitterMs: 10 });
  assert.ok(jittered.every((delay) => delay >= 30 && delay <= 50));
  assert.ok(Math.min(...jittered) < 31 && Math.max(...jittered) > 49);
});

test('a transfer at 100 kB/s takes a second for each 100 kB, without the bucket', () => {
  const pieces = Array.from({ length: 100 }, () => ({ atUs: 0, bytes: 2000 }));
  const last = arrivals(pieces, { bandwidth: { down: 100_000 } }).at(-1)!;
  assert.equal(last, 1e6 * (200_000 / 100_000 - 0.02)); // the bucket holds 20 ms
  assert.equal(arrivals(pieces, { bandwidth: { up: 100_000 } }).at(-1), 0, 'the other way is as it was');
});

test('a bucket that was idle holds 20 ms and no more', () => {
  const [, second] = arrivals(
    [
      { atUs: 0, bytes: 2000 },
      { atUs: 60e6, bytes: 102_000 },
    ],
    { bandwidth: { down: 100_000 } },
  );
  assert.equal(second, 60e6 + 1e6);
});

test('large chunks travel in pieces where something depends on it', () => {
  assert.equal(pieceBytes({}, 'up'), Infinity);
  assert.equal(pieceBytes({ bandwidth: { up: 1e6 } }, 'up'), 20_000);
  assert.equal(pieceBytes({ bandwidth: { up: 1e6 } }, 'down'), Infinity);
  assert.equal(pieceBytes({ bandwidth: { up: 2000 } }, 'up'), 1448);
  assert.equal(pieceBytes({ loss: 0.01 }, 'up'), 5792);
});

describe('a lost segment', () => {
  const one = [{ atUs: 0, bytes: 100 }];
  /** Answers in turn. */
  const script =
    (...numbers: number[]) =>
    () =>
      numbers.shift() ?? 0.99;

  test('comes a timeout later: 200 ms beyond the round trip', () => {
    assert.deepEqual(arrivals(one, { loss: 0.1, latencyMs: 40 }, script(0.05)), [(40 + 80 + 200) * ms]);
    assert.deepEqual(arrivals(one, { loss: 0.1, latencyMs: 40 }, never), [40 * ms]);
  });
  test('lost again, twice as long', () => {
    assert.deepEqual(arrivals(one, { loss: 0.1 }, script(0, 0, 0)), [(200 + 400 + 800) * ms]);
  });
  test('holds up what was sent behind it', () => {
    const two = [...one, { atUs: 10 * ms, bytes: 100 }];
    assert.deepEqual(arrivals(two, { loss: 0.1 }, script(0)), [200 * ms, 200 * ms]);
  });
  test('is as likely as its share, for each segment of a piece', () => {
    const stalled = (bytes: number) =>
      Array.from({ length: 20_000 }, (_, seed) =>
        arrivals([{ atUs: 0, bytes }], { loss: 0.02 }, random(seed, 'loss')),
      ).filter(([at]) => at! > 0).length / 20_000;
    assert.ok(Math.abs(stalled(100) - 0.02) < 0.005);
    assert.ok(Math.abs(stalled(4 * 1448) - (1 - 0.98 ** 4)) < 0.01);
  });
});

test('a connection is there after a round trip, or a second later where a SYN was lost', () => {
  assert.equal(handshakeUs({}, never), 0);
  assert.equal(handshakeUs({ latencyMs: 40, loss: 0.01 }, never), 80 * ms);
  const lostOnce = [0, 0.9];
  assert.equal(
    handshakeUs({ latencyMs: 40, loss: 0.01 }, () => lostOnce.shift()!),
    1080 * ms,
  );
});

test('idle is who was silent for as long, and looked for in time', () => {
  assert.equal(isIdle(0, 59_999 * ms, { idleMs: 60_000 }), false);
  assert.equal(isIdle(0, 60_000 * ms, { idleMs: 60_000 }), true);
  assert.equal(isIdle(0, 1e12, {}), false);
  assert.equal(idleCheckMs({}), Infinity);
  for (const idleMs of [1, 200, 5000, 60_000])
    assert.ok(idleCheckMs({ idleMs }) <= Math.max(10, idleMs / 20));
});

test('silence is either way or one', () => {
  const ways = (silence: Conditions['silence']) =>
    (['up', 'down'] as const).map((way) => isSilent(silence ? { silence } : {}, way));
  assert.deepEqual(ways('both'), [true, true]);
  assert.deepEqual(ways('up'), [true, false]);
  assert.deepEqual(ways('down'), [false, true]);
  assert.deepEqual(ways(undefined), [false, false]);
});
