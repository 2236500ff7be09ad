// Makes a trial's figures of readings written by hand, and holds each of them against what was reckoned by
// hand: sums over processes, differences between the two ends of the measured phase, what is left out.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Readings } from '../../../harness/trial/readings.ts';
import { closedBy, counters, figuresOf, samplesOf, self, sparse } from './readings.ts';

test('what the phases read stands as it is: times, subscribers, series', () => {
  const series = { slotUs: 250_000, startUs: [0], columns: { deliveries: [7] } };
  const trial = figuresOf({
    window: { warmupFromUs: 1e6, fromUs: 2e6, toUs: 9.5e6, slotUs: 250_000 },
    connectUs: 1234,
    subscribers: 10,
    drainUs: 70_000,
    series,
  });
  const { status, connectUs, subscribers, measuredUs, drainUs } = trial;
  assert.deepEqual(
    { status, connectUs, subscribers, measuredUs, drainUs },
    {
      status: 'completed',
      connectUs: 1234,
      subscribers: 10,
      measuredUs: 7_500_000,
      drainUs: 70_000,
    },
  );
  assert.deepEqual(trial.series, series);
});

describe('counters', () => {
  const counted = (role: 'server' | 'load', index: number, events: readonly number[]) =>
    samplesOf(
      role,
      index,
      // Before the warm-up's end, at both ends of the measured phase, and in the drain.
      [4_999_999, 5_000_000, 14_999_999, 15_000_000, 15_100_000].map((atUs, i) => ({
        sample: self(atUs),
        counters: counters({ events: events[i]!, errors: i }),
      })),
    );
  const trial = figuresOf({
    samples: [
      counted('server', 0, [1, 10, 100, 1000, 9000]),
      counted('load', 0, [0, 3, 50, 203, 999]),
      counted('load', 1, [0, 4, 60, 304, 999]),
    ],
    serverCounters: counters({ handshakes: 12, events: 9000 }),
    closed: [
      closedBy({}, { counters: counters({ handshakes: 5, events: 4000 }) }),
      closedBy({}, { counters: counters({ handshakes: 7, events: 5000, reconnects: 2 }) }),
    ],
  });

  test('of the whole trial are the last ones, of the load side those of all processes together', () => {
    assert.deepEqual(trial.counters.server, counters({ handshakes: 12, events: 9000 }));
    assert.deepEqual(trial.counters.client, counters({ handshakes: 12, events: 9000, reconnects: 2 }));
  });
  test('of the measured phase are the differences between its ends', () => {
    assert.deepEqual(trial.counters.serverMeasured, counters({ events: 990, errors: 2 }));
    assert.deepEqual(trial.counters.clientMeasured, counters({ events: 500, errors: 4 }));
    assert.equal(trial.measuredDeliveries, 500);
  });
  test('of both sides are compared, unless a target tells none', () => {
    assert.deepEqual(
      trial.checks.map(({ name, server, client }) => [name, server, client]),
      [
        ['handshakes', 12, 12],
        ['events', 9000, 9000],
      ],
    );
    for (const serverReadings of ['outside', 'none'] as const)
      assert.deepEqual(figuresOf({ serverReadings }).checks, []);
  });
});

test('pages of browsers: what both processes planned, and how much of it was answered', () => {
  const pages = (planned: number, answered: number) =>
    closedBy({}, { pages: { planned, latency: sparse([1000, answered]) } });
  assert.deepEqual(figuresOf({ closed: [pages(20, 19), pages(30, 26)] }).pageRequests, {
    planned: 50,
    answered: 45,
  });
  assert.deepEqual(figuresOf({ closed: [pages(20, 19), closedBy()] }).pageRequests, {
    planned: 20,
    answered: 19,
  });
  assert.equal(figuresOf({}).pageRequests, undefined);
});

describe('descriptors', () => {
  const descriptors = {
    baseline: { total: 20, sockets: 3 },
    connected: { total: 30, sockets: 13 },
  };
  const read = (more: Partial<Readings>) => figuresOf({ descriptors, ...more }).descriptors;
  const known = { limit: 1024, baseline: 20, connected: 30, socketsBaseline: 3, socketsConnected: 13 };
  test('the peak is the highest reading, that with all connected included', () => {
    assert.deepEqual(read({ descriptorsPeak: 33 }), { ...known, peak: 33 });
    assert.deepEqual(read({ descriptorsPeak: 0 }), { ...known, peak: 30 });
  });
  test('are nothing where one of them could not be read', () => {
    assert.equal(read({ descriptors: { ...descriptors, baseline: undefined } }), null);
    assert.equal(read({ descriptors: { ...descriptors, connected: undefined } }), null);
    assert.equal(read({ descriptorLimit: undefined }), null);
  });
});

test('kernel memory is the peak above the baseline, and nothing where one could not be read', () => {
  const read = (kernelBaselineBytes: number | undefined, kernelPeakBytes: number | undefined) =>
    figuresOf({ kernelBaselineBytes, kernelPeakBytes }).kernelSocketBytes;
  assert.equal(read(8192, 20_480), 12_288);
  assert.equal(read(8192, 4096), 0);
  assert.equal(read(0, 4096), 4096);
  assert.equal(read(undefined, 4096), null);
  assert.equal(read(4096, undefined), null);
});

test('packets and bytes on the wire are differences, and left out where an end could not be read', () => {
  const from = { segments: 1000, bytes: 70_000 };
  const to = { segments: 1500, bytes: 170_000 };
  const { segments, wireBytes } = figuresOf({ network: { from, to } }).network!;
  assert.deepEqual([segments, wireBytes], [500, 100_000]);
  assert.equal(figuresOf({ network: { from: undefined, to } }).network, undefined);
  assert.equal(figuresOf({ network: { from, to: undefined } }).network, undefined);
});

describe('faults', () => {
  const cut = { kind: 'disconnect' as const, atMs: 1000, share: 0.5 };
  const away = { kind: 'leave' as const, atMs: 2000, share: 0.1, forMs: 300 };
  const frozen = { kind: 'freeze' as const, atMs: 3000, who: 'server' as const, forMs: 500 };
  test('happen when the first process did its part, else when the harness had done its own', () => {
    const { faults } = figuresOf({
      faults: [
        { fault: cut, atUs: 6_000_001 },
        { fault: away, atUs: 7_000_001 },
        { fault: frozen, atUs: 8_000_500 },
      ],
      acted: [
        { kind: 'acted', act: 1, atUs: 7_000_900 },
        { kind: 'acted', act: 0, atUs: 6_000_400 },
        { kind: 'acted', act: 1, atUs: 7_000_700 },
      ],
    });
    assert.deepEqual(
      faults!.map(({ kind, atMs, atUs, forMs }) => [kind, atMs, atUs, forMs]),
      [
        ['disconnect', 1000, 1_000_400, undefined],
        ['leave', 2000, 2_000_700, 300],
        ['freeze', 3000, 3_000_500, 500],
      ],
    );
    assert.equal('forMs' in faults![0]!, false);
    assert.equal(faults![2]!.did, 'the server stood still for 500ms');
  });
  test('that could not be done have no time, and a scenario without has no list', () => {
    const { faults } = figuresOf({ faults: [{ fault: frozen, atUs: undefined }] });
    assert.equal(faults![0]!.atUs, null);
    assert.equal(figuresOf({ faults: [] }).faults, undefined);
  });
});

test('each process has what it used in the measured phase; a target without a process has nothing', () => {
  const used = (role: 'server' | 'load' | 'publisher', cpuUs: number) =>
    samplesOf(
      role,
      0,
      [4e6, 5e6, 15e6, 16e6].map((atUs, i) => ({ sample: self(atUs, { cpuUs: cpuUs * i }) })),
    );
  const samples = [used('server', 400), used('load', 20), used('publisher', 1)];
  const shares = (more: Partial<Readings>) =>
    figuresOf({ samples, ...more }).processes.map(({ role, index, cpuUs, outside }) => [
      `${role} ${index}`,
      cpuUs,
      outside,
    ]);
  const others = [
    ['load 0', 20, undefined],
    ['load 1', 0, undefined],
    ['publisher 0', 1, undefined],
  ];
  assert.deepEqual(shares({}), [['server 0', 400, undefined], ...others]);
  assert.deepEqual(shares({ serverReadings: 'outside' }), [['server 0', 400, true], ...others]);
  assert.deepEqual(shares({ serverReadings: 'none' }), others);
});
