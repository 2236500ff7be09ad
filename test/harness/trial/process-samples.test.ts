// Holds which samples a process' figures are differences of, where nothing is read from outside: the first at
// or after each end of the measured phase; counts of late ones by how fast they grew. Readings by hand.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { SelfSample } from '../../../core/protocol/control.ts';
import { newCounters } from '../../../core/result/counters.ts';
import { countersMeasured, processUses } from '../../../harness/trial/process-figures.ts';
import type { Readings } from '../../../harness/trial/readings.ts';

const window = { warmupFromUs: 0, fromUs: 1000, toUs: 3000, slotUs: 1000 };
const self = (atUs: number, more: Partial<SelfSample> = {}): SelfSample => ({
  atUs,
  cpuUs: 0,
  rssBytes: 0,
  heapUsedBytes: 0,
  loopDelayP99Us: 0,
  loopDelayMaxUs: 0,
  gcCount: 0,
  gcPauseUs: 0,
  ...more,
});
type Reading = [atUs: number, events: number, more?: Partial<SelfSample>];
const samplesOf = (role: 'server' | 'load' | 'publisher', index: number, readings: Reading[]) => ({
  role,
  index,
  samples: readings.map(([atUs, events, more]) => ({
    sample: self(atUs, more),
    counters: { ...newCounters(), events },
  })),
  cpu: [],
});
const startOf = (role: 'server' | 'load' | 'publisher', index: number) => ({
  role,
  index,
  pid: 10 + index,
  baseline: self(0, { rssBytes: 100 }),
  connected: self(0, { rssBytes: 300 }),
});
/** The rest of the readings is not looked at. */
const readings = (some: Pick<Readings, 'samples'> & Partial<Readings>) =>
  ({ window, processes: [], serverReadings: 'self', idleShares: [], ...some }) as unknown as Readings;

test.each<[what: string, readings: Reading[], events: number]>([
  [
    'samples at both ends',
    [
      [1000, 10],
      [2000, 15],
      [3000, 40],
      [3500, 90],
    ],
    30,
  ],
  [
    'late ones: the first after each end',
    [
      [999, 5],
      [1001, 10],
      [2999, 20],
      [3001, 40],
      [3002, 80],
    ],
    30,
  ],
  // 20 of the 30 events of the first 1.5 ms, and half of the 100 of the last one.
  [
    'late by more than a thousandth of the phase',
    [
      [0, 0],
      [1500, 30],
      [2500, 50],
      [3500, 150],
    ],
    80,
  ],
  [
    'late, with none before it',
    [
      [1500, 30],
      [3000, 50],
    ],
    20,
  ],
  [
    'none after the end: the last there is',
    [
      [1000, 10],
      [2000, 15],
      [2900, 18],
    ],
    8,
  ],
  ['one sample is no difference', [[1000, 10]], 0],
  [
    'nothing after the beginning',
    [
      [10, 1],
      [999, 10],
    ],
    0,
  ],
  ['none at all', [], 0],
])('%s', (_what, all, events) => {
  assert.equal(countersMeasured('load', readings({ samples: [samplesOf('load', 0, all)] })).events, events);
});

test('the processes of a role add up, and no other role is in it', () => {
  const samples = [
    samplesOf('load', 0, [
      [1000, 1],
      [3000, 4],
    ]),
    samplesOf('load', 1, [
      [1000, 10],
      [3000, 50],
    ]),
    samplesOf('server', 0, [
      [1000, 100],
      [3000, 600],
    ]),
  ];
  assert.equal(countersMeasured('load', readings({ samples })).events, 43);
  assert.equal(countersMeasured('server', readings({ samples })).events, 500);
  assert.equal(countersMeasured('publisher', readings({ samples })).events, 0);
});

const worked = [
  samplesOf('server', 0, [
    [1000, 0, { cpuUs: 50, gcPauseUs: 7, loopDelayP99Us: 900, loopDelayMaxUs: 990, rssBytes: 999 }],
    [2000, 0, { cpuUs: 150, gcPauseUs: 9, loopDelayP99Us: 30, loopDelayMaxUs: 60, rssBytes: 500 }],
    [3100, 0, { cpuUs: 250, gcPauseUs: 20, loopDelayP99Us: 40, loopDelayMaxUs: 50, rssBytes: 400 }],
  ]),
  samplesOf('load', 1, [
    [1000, 0, { cpuUs: 1 }],
    [3000, 0, { cpuUs: 3, rssBytes: 200 }],
  ]),
];
const processes = [startOf('server', 0), startOf('load', 0), startOf('load', 1)];

test('what each process took, between the two ends; delays and memory after the beginning', () => {
  const [server, silent, load] = processUses(readings({ samples: worked, processes }));
  assert.deepEqual(server, {
    role: 'server',
    index: 0,
    pid: 10,
    cpuSource: 'self',
    cpuUs: 200,
    wallUs: 2100,
    gcPauseUs: 13,
    // The sample at the beginning tells of the time before it.
    loopDelayP99Us: 40,
    loopDelayMaxUs: 60,
    rssBaselineBytes: 100,
    rssConnectedBytes: 300,
    rssPeakBytes: 500,
  });
  assert.deepEqual([load!.cpuUs, load!.wallUs, load!.rssPeakBytes], [2, 2000, 300]);
  // Without samples there is nothing to say, and no length to divide by.
  assert.deepEqual([silent!.cpuUs, silent!.wallUs, silent!.gcPauseUs], [0, 0, 0]);
});

test('of one of several servers: who came in the measured phase, and who was there at its end', () => {
  const sample = (atUs: number, handshakes: number, subscribers: number) => ({
    sample: self(atUs),
    counters: { ...newCounters(), handshakes },
    subscribers,
  });
  const samples = [sample(0, 0, 0), sample(1000, 5, 5), sample(3000, 9, 7), sample(4000, 20, 1)];
  const all = {
    samples: [{ role: 'server' as const, index: 0, samples, cpu: [] }],
    processes: [startOf('server', 0)],
  };
  const [own] = processUses(readings({ ...all, serverCount: 2 }));
  assert.deepEqual([own!.handshakes, own!.subscribers], [4, 7]);
  const [alone] = processUses(readings(all));
  assert.deepEqual([alone!.handshakes, alone!.subscribers], [undefined, undefined]);
});

test('of a server that is not ours all is read from outside, or nothing', () => {
  const of = (serverReadings: Readings['serverReadings']) =>
    processUses(readings({ samples: worked, processes, serverReadings })).map(({ role, outside }) => [
      role,
      outside,
    ]);
  const loads = [
    ['load', undefined],
    ['load', undefined],
  ];
  assert.deepEqual(of('self'), [['server', undefined], ...loads]);
  assert.deepEqual(of('outside'), [['server', true], ...loads]);
  assert.deepEqual(of('none'), loads);
});
