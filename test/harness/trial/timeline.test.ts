// Holds that samples of several processes come together in one series: amounts add up, of delays and ages the
// largest counts, and what nobody sampled stays empty.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { SelfSample } from '../../../core/protocol/control.ts';
import { newCounters } from '../../../core/result/counters.ts';
import { createTimeline } from '../../../harness/trial/timeline.ts';

const fromUs = 5_000_000;
const window = { warmupFromUs: fromUs, fromUs, toUs: fromUs + 2_000_000, slotUs: 1_000_000 };

const sample = (atUs: number, more: Partial<SelfSample>): SelfSample => ({
  atUs: fromUs + atUs,
  cpuUs: 0,
  rssBytes: 0,
  heapUsedBytes: 0,
  loopDelayP99Us: 0,
  loopDelayMaxUs: 0,
  gcCount: 0,
  gcPauseUs: 0,
  ...more,
});

test('two servers: CPU, memory and backlog add up, of loop delay and age the largest counts', () => {
  const timeline = createTimeline(window);
  const counters = newCounters();
  timeline.server(0, { sample: sample(0, { cpuUs: 1000 }), counters }, false);
  timeline.server(1, { sample: sample(0, { cpuUs: 500_000 }), counters }, false);
  timeline.server(
    0,
    {
      sample: sample(1_000_000, { cpuUs: 201_000, rssBytes: 10, loopDelayP99Us: 7 }),
      counters,
      backlog: { depth: 3, oldestAgeMs: 40 },
    },
    false,
  );
  timeline.server(
    1,
    {
      sample: sample(1_000_000, { cpuUs: 800_000, rssBytes: 20, loopDelayP99Us: 5 }),
      counters,
      backlog: { depth: 4, oldestAgeMs: 90 },
    },
    false,
  );
  timeline.outside({ atUs: fromUs + 2_000_000, descriptors: 12, kernelSocketBytes: undefined });
  const { startUs, columns } = timeline.series();
  assert.deepEqual(startUs, [-1_000_000, 0, 1_000_000]);
  assert.deepEqual(columns['serverCpuShare'], [null, 0.5, null]);
  assert.deepEqual(columns['serverRssBytes'], [0, 30, null]);
  assert.deepEqual(columns['serverLoopDelayP99Us'], [0, 7, null]);
  assert.deepEqual(columns['serverBacklog'], [null, 7, null]);
  assert.deepEqual(columns['serverOldestMs'], [null, 90, null]);
  assert.deepEqual(columns['serverDescriptors'], [null, null, 12]);
  assert.deepEqual(columns['kernelSocketBytes'], [null, null, null]);
});
