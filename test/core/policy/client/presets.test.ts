// Each policy waits as the client whose name it has. The figures are those of the libraries themselves, of
// the versions named here, with their random numbers replaced by the ones given.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { random } from '../../../../core/base/random.ts';
import { policyNames, presets, type PolicyName } from '../../../../core/policy/client/presets.ts';
import {
  longestAskedMs,
  longestWindowMs,
  newComeback,
  noteAsked,
  noteHandshake,
  noteReconnectionTime,
  noteRefusal,
  noteSuccess,
  noteWindow,
  takeWaitMs,
  type Comeback,
  type ReconnectPolicy,
} from '../../../../core/policy/client/reconnect.ts';

const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const draws = [0, 0.05, 0.3, 0.55, 0.75, 0.99];

function policyOf(policy: PolicyName, more: Partial<ReconnectPolicy> = {}): ReconnectPolicy {
  const { base, cap } = presets[policy];
  return { policy, base, cap, ...more };
}

/** A client that was connected from the start of time on. */
function connected(): Comeback {
  const client = newComeback();
  noteSuccess(client, 0);
  return client;
}

/** The waits of one that is cut off at once and then fails so often, each when the wait before is over. */
function waitsOf(policy: ReconnectPolicy, count: number, share: number, client = connected()) {
  let nowMs = 0;
  return Array.from({ length: count }, () => {
    const waitMs = takeWaitMs(client, policy, () => share, nowMs);
    nowMs += waitMs ?? 0;
    return waitMs;
  });
}

/** To a hundredth of a millisecond: a factor may be rounded in another place. */
function near(waits: readonly (number | undefined)[], wanted: readonly number[]): void {
  assert.equal(waits.length, wanted.length);
  for (const [i, ms] of wanted.entries())
    assert.ok(Math.abs(waits[i]! - ms) < 0.01, `${waits[i]}, not ${ms}`);
}

describe('golden waits', () => {
  test('phoenix 1.8.16: a list, then 5 s', () =>
    assert.deepEqual(
      waitsOf(policyOf('phoenix'), 12, 0.5),
      [10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000, 5000, 5000],
    ));

  test('@microsoft/signalr 10.0.11: four attempts, and none after them', () => {
    const client = connected();
    assert.deepEqual(waitsOf(policyOf('signalr'), 5, 0.5, client), [0, 2000, 10_000, 30_000, undefined]);
    assert.deepEqual([client.ended, client.failures], ['tried', 4]);
  });

  test('socket.io-client 4.8.4', () =>
    assert.deepEqual(
      draws.map((share) => waitsOf(policyOf('socket.io'), 4, share)),
      [
        [1000, 2000, 4000, 5000],
        [975, 1950, 3900, 5000],
        [1150, 2300, 4600, 5000],
        [1275, 2550, 5000, 5000],
        [1375, 2750, 5000, 5000],
        [1495, 2990, 5000, 5000],
      ],
    ));

  test('@rails/actioncable 8.1.400', () => {
    const golden = [
      [6000, 6900, 7935, 21107.258, 24273.346, 24273.346],
      [6300, 6951.75, 7994.513, 21265.562, 24455.397, 24455.397],
      [7800, 7210.5, 8292.075, 22057.084, 25365.647, 25365.647],
      [9300, 7469.25, 8589.638, 22848.607, 26275.897, 26275.897],
      [10_500, 7676.25, 8827.688, 23481.824, 27004.098, 27004.098],
      [11_940, 7924.65, 9113.348, 24241.686, 27877.938, 27877.938],
    ];
    for (const [i, share] of draws.entries()) {
      const waits = waitsOf(policyOf('action-cable'), 12, share);
      near(
        [0, 1, 2, 9, 10, 11].map((n) => waits[n]),
        golden[i]!,
      );
    }
  });

  test('centrifuge 5.8.0', () =>
    assert.deepEqual(
      draws.map((share) => {
        const waits = waitsOf(policyOf('centrifuge'), 41, share);
        return [0, 1, 2, 5, 6, 40].map((n) => waits[n]);
      }),
      [
        [500, 500, 500, 500, 500, 500],
        [525, 550, 600, 1300, 1500, 1500],
        [650, 800, 1100, 5300, 6500, 6500],
        [775, 1050, 1600, 9300, 11_500, 11_500],
        [875, 1250, 2000, 12_500, 15_500, 15_500],
        [995, 1490, 2480, 16_340, 20_000, 20_000],
      ],
    ));

  test('ably 2.28.0: at once after a loss, then every 15 to 30 s, and every 30 s after two minutes', () => {
    // Its `getRetryTime` of 15 s from the first failure on, as where a first connection fails.
    const never = newComeback();
    near(waitsOf(policyOf('ably'), 4, 0.3, never), [14_100, 18_800, 23_500, 28_200]);
    near(waitsOf(policyOf('ably'), 8, 0.99), [0, 16_040, 20_050, 24_060, 24_060, 24_060, 24_060, 30_000]);
  });

  test('eventsource 4.1.1: 3 s, or what the stream said, and never again after a refusal', () => {
    assert.deepEqual(waitsOf(policyOf('eventsource'), 3, 0.5), [3000, 3000, 3000]);
    const told = connected();
    noteReconnectionTime(told, 700);
    noteAsked(told, 60_000); // Retry-After, which it cannot hear
    assert.deepEqual(waitsOf(policyOf('eventsource'), 2, 0.5, told), [700, 700]);
    const refused = newComeback();
    noteRefusal(refused, 502);
    assert.deepEqual(waitsOf(policyOf('eventsource'), 1, 0.5, refused), [undefined]);
    assert.equal(refused.ended, 'refused');
  });
});

test('decorrelated jitter draws from the base up to three times the last wait', () => {
  const policy = policyOf('decorrelated', { base: 100, cap: 2000 });
  assert.deepEqual(waitsOf(policy, 3, 0), [100, 100, 100]);
  fc.assert(
    fc.property(fc.array(draw, { minLength: 1, maxLength: 30 }), (shares) => {
      const client = connected();
      let before = 100;
      for (const share of shares) {
        const waitMs = takeWaitMs(client, policy, () => share, 0)!;
        assert.ok(waitMs >= 100 && waitMs <= Math.min(2000, 3 * before), `${waitMs} after ${before}`);
        before = waitMs;
      }
    }),
  );
});

test('no policy waits longer than its cap by itself, nor less than 0', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...policyNames),
      fc.nat(2000),
      draw,
      fc.boolean(),
      (name, failures, share, was) => {
        const { waitMs, ...backoff } = presets[name];
        const situation = { failures, lastMs: share * backoff.cap, awayMs: failures * 1000, wasOpen: was };
        const ms = waitMs(situation, backoff, () => share) ?? 0;
        assert.ok(ms >= 0 && ms <= backoff.cap, `${name}: ${ms} ms`);
      },
    ),
  );
});

describe('when the backoff begins again', () => {
  const list = (reset: ReconnectPolicy['reset']) => policyOf('phoenix', reset ? { reset } : {});

  test('on a connection that opens, however short', () => {
    const client = connected();
    for (let i = 0; i < 3; i++) {
      assert.equal(
        takeWaitMs(client, list('on-open'), () => 0, 0),
        10,
      );
      noteSuccess(client, 0);
    }
  });

  test('with the handshake where a client goes by that, else with what the server says after it', () => {
    const failuresOf = (policy: PolicyName) => {
      const client = connected();
      for (let i = 0; i < 3; i++) {
        takeWaitMs(client, policyOf(policy), () => 0.5, 0);
        noteHandshake(client, { policy }, 0);
      }
      return client.failures;
    };
    const failures = policyNames.map((name) => [name, failuresOf(name)]);
    const byHandshake = ['full-jitter', 'decorrelated', 'phoenix'];
    assert.deepEqual(
      failures,
      policyNames.map((name) => [name, byHandshake.includes(name) ? 1 : 3]),
    );
  });

  test('only once one has been up for long enough', () => {
    const client = newComeback();
    const policy = list({ stable: 1000 });
    const waits = [];
    for (const [openMs, lostMs] of [
      [0, 999],
      [2000, 2010],
      [3000, 4000],
      [5000, 5999],
    ] as const) {
      noteSuccess(client, openMs);
      noteSuccess(client, openMs + 1); // a poller says so with every answer
      waits.push(takeWaitMs(client, policy, () => 0, lostMs));
    }
    assert.deepEqual(waits, [10, 50, 10, 50]);
  });
});

describe('what a server advises', () => {
  test('is ignored by who ignores it, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...policyNames), draw, fc.nat(100_000), (name, share, ms) => {
        const told = connected();
        noteAsked(told, ms);
        noteReconnectionTime(told, ms);
        noteWindow(told, ms);
        const policy = policyOf(name, { advice: 'ignore' });
        assert.deepEqual(waitsOf(policy, 3, share, told), waitsOf(policy, 3, share));
      }),
    );
  });

  test('is heard by who obeys: never earlier than it asked', () => {
    fc.assert(
      fc.property(fc.constantFrom(...policyNames), draw, fc.nat(longestAskedMs), (name, share, ms) => {
        const told = connected();
        noteAsked(told, ms);
        assert.ok(takeWaitMs(told, policyOf(name, { advice: 'obey' }), () => share, 0)! >= ms);
      }),
    );
  });

  test('a window: the first attempt after a loss is spread evenly over it, at most a minute', () => {
    const next = random(1, 'window');
    for (const [announcedMs, windowMs] of [
      [5000, 5000],
      [3_600_000, longestWindowMs],
    ] as const) {
      const first = Array.from({ length: 1000 }, () => {
        const client = connected();
        noteWindow(client, announcedMs);
        return takeWaitMs(client, policyOf('phoenix', { advice: 'obey' }), next, 0)!;
      });
      assert.ok(first.every((ms) => ms >= 0 && ms < windowMs));
      assert.equal(new Set(first.map((ms) => Math.floor((10 * ms) / windowMs))).size, 10);
    }
  });

  test('a window holds for one loss, in the place of the first wait alone', () => {
    const client = connected();
    noteReconnectionTime(client, 1000); // the window says more
    noteWindow(client, 4000);
    const policy = policyOf('full-jitter', { advice: 'obey' });
    assert.deepEqual(waitsOf(policy, 2, 0.5, client), [2000, 1000 + 1000]);
  });

  test('what a server asks for after it has announced a window goes on top of it', () => {
    for (const [ask, waitMs] of [
      [(client: Comeback) => noteReconnectionTime(client, 700), 2700],
      [(client: Comeback) => noteAsked(client, 1500), 3500],
    ] as const) {
      const client = connected();
      noteWindow(client, 4000);
      ask(client);
      assert.deepEqual(waitsOf(policyOf('phoenix', { advice: 'obey' }), 1, 0.5, client), [waitMs]);
    }
  });

  test('a window that is no number above 0 announces nothing', () => {
    for (const wrong of [undefined, null, '5000', Number.NaN, -1, 0, {}]) {
      const client = connected();
      noteWindow(client, wrong);
      assert.deepEqual(waitsOf(policyOf('phoenix', { advice: 'obey' }), 1, 0.5, client), [10]);
    }
  });
});
