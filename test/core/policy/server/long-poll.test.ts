// Holds long polls in virtual time to what the rules promise about when a request is answered.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { decideEvent, decideRequest, type LongPollRules } from '../../../../core/policy/server/long-poll.ts';

type Arrival = { atMs: number; bytes: number };

/** A held request from 0 on. @returns when it is answered, and with how many events */
function hold(
  rules: LongPollRules,
  askedHoldMs: number | undefined,
  found: readonly number[],
  arrivals: readonly Arrival[],
): { atMs: number; events: number } {
  let bytes = found.reduce((sum, one) => sum + one, 0);
  let events = found.length;
  const decision = decideRequest(rules, askedHoldMs, { events, bytes, isPart: false, isLost: false });
  if (decision === 'answer') return { atMs: 0, events };
  let untilMs = decision.holdMs;
  for (const arrival of arrivals) {
    if (arrival.atMs >= untilMs) break;
    bytes += arrival.bytes;
    events++;
    const next = decideEvent(rules, events, bytes);
    if (next === 'answer') return { atMs: arrival.atMs, events };
    if (next === 'begin-batch') untilMs = arrival.atMs + rules.batchMs;
  }
  return { atMs: untilMs, events };
}

const arrivalsArb = fc
  .array(fc.record({ atMs: fc.nat(200), bytes: fc.integer({ min: 1, max: 60 }) }), { maxLength: 30 })
  .map((all) => all.sort((a, b) => a.atMs - b.atMs));

test('the answer comes with the first event, a batch later, when enough came, or empty in the end', () => {
  fc.assert(
    fc.property(
      fc.record({ holdMs: fc.nat(150), batchMs: fc.nat(50), enoughBytes: fc.nat(300) }),
      fc.option(fc.nat(200), { nil: undefined }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
      arrivalsArb,
      (rules, askedHoldMs, found, arrivals) => {
        const { atMs, events } = hold(rules, askedHoldMs, found, arrivals);
        const heldMs = Math.min(askedHoldMs ?? rules.holdMs, rules.holdMs);
        const firstMs = found.length > 0 ? 0 : arrivals.find((one) => one.atMs < heldMs)?.atMs;
        if (firstMs === undefined) {
          assert.deepEqual([atMs, events], [heldMs, 0]);
          return;
        }
        // Never before the first event, never later than a batch behind it.
        assert.ok(events > 0 && atMs >= firstMs && atMs <= firstMs + rules.batchMs);
        if (rules.batchMs === 0) assert.equal(events, Math.max(found.length, 1));
        const bytesOf = (count: number) =>
          [...found, ...arrivals.map(({ bytes }) => bytes)]
            .slice(0, count)
            .reduce((sum, one) => sum + one, 0);
        // Early only because there is enough, and then with no event more than that takes.
        if (atMs < firstMs + rules.batchMs) assert.ok(bytesOf(events) >= rules.enoughBytes);
        if (events > Math.max(found.length, 1)) assert.ok(bytesOf(events - 1) < rules.enoughBytes);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a request that misses events, or gets only a part of them, is answered at once', () => {
  const rules = { holdMs: 100, batchMs: 50, enoughBytes: 1000 };
  const found = { events: 1, bytes: 1, isPart: false, isLost: false };
  assert.deepEqual(decideRequest(rules, undefined, found), { holdMs: 50 });
  assert.equal(decideRequest(rules, undefined, { ...found, isPart: true }), 'answer');
  assert.equal(decideRequest(rules, undefined, { ...found, events: 0, bytes: 0, isLost: true }), 'answer');
});
