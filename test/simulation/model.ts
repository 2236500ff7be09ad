// A model that takes a millisecond for each receiver after the other, for tests of what is made of models.

import { planTopics, followersOf } from '../../core/scenario/topics.ts';
import { newCounters } from '../../core/result/counters.ts';
import { newHistogram, record } from '../../core/result/histogram.ts';
import type { ExpectedError } from '../../core/result/simulated.ts';
import type { ModelInput, Simulated } from '../../simulation/model.ts';

export const expectedError: ExpectedError = {
  'latency.p50': 0.12,
  'latency.p90': 0.2,
  'latency.p99': 0.3,
  'server-cpu': 0.1,
  requests: 0.01,
  bytes: null,
  descriptors: 0,
  memory: null,
  recovery: null,
  connects: null,
  losses: null,
};

/** @param more what the trial of a test is to have in the place of what this computes */
export function steps(
  { scenario, events, random, profile }: ModelInput,
  more: Partial<Omit<Simulated, 'latency'>> = {},
): Simulated {
  const topics = planTopics(scenario);
  const next = random('chance');
  const latency = {
    endToEnd: newHistogram(),
    firstReceiver: newHistogram(),
    medianReceiver: newHistogram(),
    lastReceiver: newHistogram(),
  };
  const counters = newCounters();
  const slotUs = 1e6;
  const slots = Array.from({ length: Math.ceil(scenario.phases.measure / 1000) }, () => ({
    latency: newHistogram(),
    deliveries: 0,
    requests: 0,
    bytesOut: 0,
    serverCpuUs: 100_000,
    connected: scenario.subscribers,
  }));
  let published = 0;
  for (const { atUs, topic, bodyBytes } of events) {
    if (atUs < 0) continue;
    published++;
    const receivers = followersOf(topics, topic, scenario.subscribers);
    const jitterUs = Math.floor(next() * 100);
    const slot = slots[Math.floor(atUs / slotUs)]!;
    for (let k = 1; k <= receivers; k++) {
      record(latency.endToEnd, k * 1000 + jitterUs);
      record(slot.latency, k * 1000 + jitterUs);
    }
    record(latency.firstReceiver, 1000 + jitterUs);
    record(latency.medianReceiver, Math.ceil(receivers / 2) * 1000 + jitterUs);
    record(latency.lastReceiver, receivers * 1000 + jitterUs);
    counters.events += receivers;
    counters.bytesIn += receivers * bodyBytes;
    slot.deliveries += receivers;
    slot.bytesOut += receivers * bodyBytes;
  }
  const { events: delivered } = counters;
  return {
    latency,
    ledger: { published, expected: delivered, delivered, missed: 0, duplicated: 0, reordered: 0 },
    counters,
    server: {
      cpuUs: scenario.phases.measure * 100,
      idleShare: 0.01,
      busiestShare: 0.1,
      askedShare: 0.1,
      leftUs: 0,
      rssBytes: profile.serverBaseRssBytes + scenario.subscribers * 10_000,
      kernelSocketBytes: scenario.subscribers * 4000,
      descriptors: scenario.subscribers,
    },
    connections: scenario.subscribers,
    slotUs,
    slots,
    saturated: false,
    how: 'exact',
    extrapolated: 1,
    expectedError,
    leavesOut: ['What the publisher costs.'],
    ...more,
  };
}
