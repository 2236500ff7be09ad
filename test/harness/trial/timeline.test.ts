// Holds that samples of several processes come together in one series: amounts add up, of delays and ages the
// largest counts, and what nobody sampled stays empty.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { LoadSample, SelfSample } from '../../../core/protocol/control.ts';
import { newCounters } from '../../../core/result/counters.ts';
import { newHistogram, record, toSparse } from '../../../core/result/histogram.ts';
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

/** A load sample of one process, `atUs` after the measured phase began. */
const loadAt = (
  atUs: number,
  more: Partial<LoadSample> & { self?: Partial<SelfSample> } = {},
): LoadSample => ({
  kind: 'sample',
  sample: sample(atUs, more.self ?? {}),
  counters: newCounters(),
  connected: 0,
  coming: 0,
  delivered: 0,
  latency: [],
  ...more,
});

describe('a sample closes the slot whose end is nearest', () => {
  // Slots of 1 s; the first samples give no rate, so those at 0 s and 1 s stand before each case.
  test.each([
    [1_499_999, 0],
    [1_500_000, 1],
    [2_000_000, 1],
    [2_499_999, 1],
    [2_500_000, 2],
    [500_000, 0],
    [499_999, -1],
  ])('%i us: slot %i', (atUs, slot) => {
    const timeline = createTimeline(window);
    timeline.outside({ atUs: fromUs + atUs, descriptors: 7, kernelSocketBytes: 9 });
    const { startUs, columns, slotUs } = timeline.series();
    assert.equal(slotUs, 1_000_000);
    assert.deepEqual(startUs, [slot * 1_000_000]);
    assert.deepEqual([columns['serverDescriptors'], columns['kernelSocketBytes']], [[7], [9]]);
  });
});

test('two load processes: what both counted adds up, as rates a second; of delays the largest counts', () => {
  const timeline = createTimeline(window);
  const at = (handshakes: number, bytesIn: number) => ({
    ...newCounters(),
    handshakes,
    bytesIn,
    bytesOut: 7777,
  });
  timeline.load(0, loadAt(0, { counters: at(100, 1000), self: { cpuUs: 50_000 } }));
  timeline.load(1, loadAt(0, { counters: at(5, 0), self: { cpuUs: 0 } }));
  // 1.25 s later: 40 requests, 5,000 bytes, 250 ms of CPU; and 10, 2,500, 62.5 ms.
  const first = { cpuUs: 300_000, rssBytes: 30, loopDelayP99Us: 4 };
  const second = { cpuUs: 62_500, rssBytes: 12, loopDelayP99Us: 9 };
  timeline.load(0, loadAt(1_250_000, { counters: at(140, 6000), connected: 3, self: first }));
  timeline.load(1, loadAt(1_250_000, { counters: at(15, 2500), connected: 2, self: second }));
  const { startUs, columns } = timeline.series();
  assert.deepEqual(startUs, [0], 'the first sample of a process has no rate and makes no slot');
  const read = (...names: string[]) => names.map((name) => columns[name]![0]);
  assert.deepEqual(read('requestsPerS', 'bytesPerS', 'loadCpuShare'), [40, 6000, 0.25]);
  assert.deepEqual(read('connected', 'loadRssBytes', 'loadLoopDelayP99Us'), [5, 42, 9]);
});

test.each([
  ['a quarter of a slot after the last sample', 1_250_000, 0.4],
  ['sooner: it has no rate', 1_249_999, null],
])('%s', (_what, atUs, share) => {
  const timeline = createTimeline(window);
  timeline.publisher(publisherAt(1_000_000, 0));
  timeline.publisher(publisherAt(atUs, 100_000));
  assert.deepEqual(timeline.series().columns['publisherCpuShare'] ?? [null], share === null ? [] : [share]);
});

const publisherAt = (atUs: number, cpuUs: number) => ({
  kind: 'sample' as const,
  sample: sample(atUs, { cpuUs }),
  sent: 0,
  confirmed: 0,
  counters: newCounters(),
});

test('garbage collection is an amount for the slot, and a process that is not ours tells of none', () => {
  const timeline = createTimeline(window);
  const counters = newCounters();
  for (const index of [0, 1]) timeline.server(index, { sample: sample(0, {}), counters }, index === 1);
  const later = sample(2_000_000, { gcPauseUs: 30_000, loopDelayP99Us: 8, cpuUs: 500_000 });
  timeline.server(0, { sample: later, counters }, false);
  timeline.server(1, { sample: { ...later, loopDelayP99Us: 99 }, counters }, true);
  const { columns } = timeline.series();
  // 30 ms in 2 s are 15 ms for each of the two slots that the sample is of.
  assert.deepEqual(columns['serverGcPauseUs'], [null, 15_000, 15_000]);
  assert.deepEqual(columns['serverLoopDelayP99Us'], [0, 8, 8]);
  assert.deepEqual(columns['serverCpuShare'], [null, 0.5, 0.5], 'a quarter of a core each');

  const halves = createTimeline({ ...window, slotUs: 500_000 });
  halves.server(0, { sample: sample(0, {}), counters }, false);
  halves.server(0, { sample: sample(1_000_000, { gcPauseUs: 30_000 }), counters }, false);
  assert.equal(halves.series().columns['serverGcPauseUs']!.at(-1), 15_000, '30 ms in two slots');
});

test('latencies stand in the slot of their planned time, whichever process and sample brings them', () => {
  const timeline = createTimeline(window);
  const of = (...valuesUs: number[]) => {
    const histogram = newHistogram();
    for (const value of valuesUs) record(histogram, value);
    return toSparse(histogram);
  };
  timeline.load(0, loadAt(1_000_000, { latency: [{ slot: 0, histogram: of(100, 200) }] }));
  timeline.load(
    0,
    loadAt(2_000_000, {
      latency: [
        { slot: 0, histogram: of(1000) },
        { slot: 1, histogram: of(50) },
      ],
    }),
  );
  timeline.load(1, loadAt(2_000_000, { latency: [{ slot: 0, histogram: of(300) }] }));
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  timeline.load(0, loadAt(3_000_000, { latency: [{ slot: 2, histogram: of(...hundred) }] }));
  const { startUs, columns } = timeline.series();
  assert.deepEqual(startUs, [0, 1_000_000, 2_000_000]);
  assert.deepEqual(columns['deliveries'], [4, 1, 100]);
  assert.deepEqual(columns['latencyP50Us'], [200, 50, 50]);
  assert.deepEqual(columns['latencyP99Us'], [1000, 50, 99]);
  assert.deepEqual(columns['latencyMaxUs'], [1000, 50, 100]);
  assert.equal(timeline.latency.count, 105);
});
