// Tests that what is told slot by slot adds up to what is told of the whole measured phase.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { requestsOf } from '../../../core/result/counters.ts';
import type { Slot } from '../../../simulation/model.ts';
import { scenarioOf, simulated } from '../fixture.ts';

/** In slots of 5 s, the last of which is half as wide. */
const scenario = scenarioOf(
  'question: Does it add up?\nsubscribers: 100\ntopics:\n  news: { publish: 4/s }\n' +
    'phases: { connect: 1s, warmup: 2s, measure: 97500ms, drain: 5s }\nvariants: [sse]\n',
);
const measureUs = 97.5e6;

test.for(Object.keys(patterns))('%s: requests, bytes, CPU and deliveries', (pattern) => {
  for (const clients of ['groups', 'one-by-one'] as const) {
    const { slots, slotUs, counters, ledger, server } = simulated({ scenario, pattern, clients });
    assert.equal(slots.length, Math.ceil(measureUs / slotUs));
    const near = (what: keyof Slot, ours: number, whole: number) =>
      assert.ok(Math.abs(ours - whole) <= 0.02 * whole, `${what}, ${clients}: ${ours} for ${whole}`);
    const sum = (of: (slot: Slot) => number) => slots.reduce((all, slot) => all + of(slot), 0);
    assert.equal(
      sum(({ deliveries }) => deliveries),
      ledger.delivered,
    );
    assert.equal(
      sum(({ latency }) => latency.count),
      ledger.delivered,
    );
    const requests = sum((slot) => slot.requests);
    near('requests', requests, requestsOf(counters));
    near(
      'bytesOut',
      sum(({ bytesOut }) => bytesOut),
      counters.bytesIn,
    );
    const busyUs = sum(({ serverCpuUs }) => serverCpuUs);
    near('serverCpuUs', busyUs + server.idleShare * measureUs, server.cpuUs);
    // Events come evenly, so no slot has more of anything than its width.
    for (const [i, slot] of slots.entries()) {
      const widthUs = Math.min(measureUs, (i + 1) * slotUs) - i * slotUs;
      const isShare = (ours: number, whole: number) => {
        const share = (whole * widthUs) / measureUs;
        assert.ok(Math.abs(ours - share) <= 0.1 * share, `slot ${i}, ${clients}: ${ours} for ${share}`);
      };
      isShare(slot.serverCpuUs, busyUs);
      isShare(slot.requests, requests);
    }
  }
});
