// When clients come back: never earlier than the server asked, no later than a bound, spread, or not at all.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { random, type Random } from '../../../../core/base/random.ts';
import {
  backoffMs,
  longestAskedMs,
  newComeback,
  noteAsked,
  noteReconnectionTime,
  noteRetryAfter,
  noteSuccess as noteSuccessAt,
  takeWaitMs as takeWaitAt,
  type Comeback,
  type ReconnectPolicy,
} from '../../../../core/policy/client/reconnect.ts';

/** Time stands still where nothing depends on it. */
const noteSuccess = (client: Comeback) => noteSuccessAt(client, 0);
const takeWaitMs = (client: Comeback, given: ReconnectPolicy, next: Random) =>
  takeWaitAt(client, given, next, 0);
const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const policy = { base: 100, cap: 5000 };
const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const backoff = fc
  .tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 3_600_000 }))
  .map(([base, more]) => ({ base, cap: base + more }));

function clientAfter(failures: number, retryAfter?: string, reconnectionMs?: number): Comeback {
  const client = newComeback();
  client.failures = failures;
  if (reconnectionMs !== undefined) noteReconnectionTime(client, reconnectionMs);
  noteRetryAfter(client, retryAfter, nowMs);
  return client;
}

describe('without a word from the server', () => {
  test('the wait is anywhere between 0 and the doubled base, up to the cap', () => {
    const ceilings = [0, 1, 2, 5, 6, 2000].map((failures) => backoffMs(policy, failures, () => 1));
    assert.deepEqual(ceilings, [100, 200, 400, 3200, 5000, 5000]);
    fc.assert(
      fc.property(fc.nat(5000), draw, (failures, share) => {
        const waitMs = takeWaitMs(clientAfter(failures), policy, () => share);
        assert.equal(waitMs, share * Math.min(5000, 100 * 2 ** failures));
      }),
    );
  });

  test('each failure doubles it, and after a success it begins again', () => {
    const client = newComeback();
    const most = () => takeWaitMs(client, policy, () => 1);
    assert.deepEqual([most(), most(), most()], [100, 200, 400]);
    noteSuccess(client);
    assert.deepEqual([most(), most()], [100, 200]);
  });
});

describe('a server that asks for a wait', () => {
  /** In seconds, and as a date that is that many seconds away. */
  const forms: [name: string, write: (seconds: number) => string][] = [
    ['in seconds', String],
    ['as a date', (seconds) => new Date(nowMs + seconds * 1000).toUTCString()],
  ];
  for (const [name, write] of forms) {
    test(`${name} sees nobody earlier, and everybody within the cap after that`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: longestAskedMs / 1000 }),
          fc.nat(100),
          backoff,
          draw,
          (seconds, failures, given, share) => {
            const waitMs = takeWaitMs(clientAfter(failures, write(seconds)), given, () => share)!;
            assert.ok(waitMs >= seconds * 1000, `${waitMs} ms`);
            assert.ok(waitMs <= seconds * 1000 + Math.min(given.cap, longestAskedMs), `${waitMs} ms`);
          },
        ),
      );
    });

    test(`${name} of more than the longest wait sees nobody again`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: longestAskedMs / 1000 + 1, max: 2 ** 33 }),
          backoff,
          draw,
          (seconds, given, share) => {
            const client = clientAfter(0, write(seconds));
            assert.equal(
              takeWaitMs(client, given, () => share),
              undefined,
            );
          },
        ),
      );
    });
  }

  test('spreads clients that it sent away together over as long again as it asked for, up to the cap', () => {
    const next = random(1, 'test');
    for (const [retryAfter, fromMs, toMs] of [
      ['1', 1000, 2000],
      ['60', 60_000, 65_000],
    ] as const) {
      const waits = Array.from({ length: 1000 }, () => takeWaitMs(clientAfter(0, retryAfter), policy, next)!);
      const tenths = new Set(waits.map((ms) => Math.floor((10 * (ms - fromMs)) / (toMs - fromMs))));
      assert.deepEqual([...tenths].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  test('is heard once: the next failure knows nothing of it', () => {
    const client = clientAfter(0, '30');
    assert.equal(
      takeWaitMs(client, policy, () => 0),
      30_000,
    );
    assert.equal(
      takeWaitMs(client, policy, () => 0),
      0,
    );
  });

  test('is forgotten by a success, and of two wishes the longer one counts', () => {
    const client = clientAfter(0, '30');
    noteSuccess(client);
    assert.equal(
      takeWaitMs(client, policy, () => 0),
      0,
    );
    noteAsked(client, 5000);
    noteRetryAfter(client, '2', nowMs);
    assert.equal(
      takeWaitMs(client, policy, () => 0),
      5000,
    );
  });

  test('in a way that cannot be read asks for nothing', () => {
    for (const header of [undefined, '', 'soon', '-1'])
      assert.equal(
        takeWaitMs(clientAfter(0, header), policy, () => 1),
        100,
      );
  });
});

describe("a stream's reconnection time", () => {
  test('takes the place of the base for all further attempts, and nobody is earlier than it', () => {
    for (const [ms, least, most] of [
      [1000, 1000, 2000],
      [1, 1, 2],
      [0, 0, 1],
      [60_000, 60_000, 65_000],
    ] as const) {
      assert.equal(
        takeWaitMs(clientAfter(0, undefined, ms), policy, () => 0),
        least,
      );
      assert.equal(
        takeWaitMs(clientAfter(0, undefined, ms), policy, () => 1),
        most,
      );
    }
    const client = clientAfter(0, undefined, 1000);
    takeWaitMs(client, policy, () => 0);
    noteSuccess(client);
    assert.equal(
      takeWaitMs(client, policy, () => 0),
      1000,
    );
  });

  test('and a longer Retry-After holds for one attempt', () => {
    const client = clientAfter(0, '5', 1000);
    assert.equal(
      takeWaitMs(client, policy, () => 0),
      5000,
    );
    assert.equal(
      takeWaitMs(client, policy, () => 0),
      1000,
    );
  });

  test('beyond the longest wait is given up as well', () =>
    assert.equal(
      takeWaitMs(clientAfter(0, undefined, 86_400_000), policy, () => 0),
      undefined,
    ));
});
