// Lists for each voiding warning the reading just inside its limit and the one just outside. A new code is a
// new row: validity.test.ts fails for a code that has none.

import { evidence, type Evidence } from '../../../core/result/evidence.ts';
import type { VoidingCode } from '../../../core/result/voids.ts';
import { variantOf, type Variant } from '../../../core/pattern/variant.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import type { Readings } from '../../../harness/trial/readings.ts';
import {
  closedBy,
  counters,
  histogram,
  readingsOf,
  samplesOf,
  self,
  sparse,
  window,
  type Samples,
} from './readings.ts';

/** What differs from a trial in which nothing went wrong: keys of the scenario, readings, the variant. */
export type Case = { scenario?: object; readings?: Partial<Readings>; variant?: Variant };
export type Row<Code extends string = string> = {
  code: Code;
  /** What the row is about, where the code has several. */
  when?: string;
  inside: Case;
  outside: Case;
  /** What the text says of the case outside, with its figures. */
  says: readonly string[];
};
export type VoidingRow = Row<VoidingCode> & { voids: readonly Evidence[] };

const timings: Evidence[] = ['latency'];
const timingsAndPace: Evidence[] = ['latency', 'pace'];
const allButHeld = evidence.filter((one) => one !== 'descriptors' && one !== 'memory');

const { done } = readingsOf();
const latencies = (...samples: Samples) => ({ latency: histogram(...samples) });
const lag = (...samples: Samples) => ({ done: { ...done, lag: sparse(...samples) } });

/** The CPU that the second load process took in the ten measured seconds. */
const loadCpu = (cpuUs: number): Partial<Readings> => ({
  samples: [
    samplesOf('server', 0),
    samplesOf('load', 0),
    samplesOf('load', 1, [
      { sample: self(window.fromUs, { cpuUs: 0 }) },
      { sample: self(window.toUs, { cpuUs }) },
    ]),
    samplesOf('publisher', 0),
  ],
});
/** The same in two of the four slots of the series, of which the first is before the measured phase. */
const loopDelay = (usualUs: number): Partial<Readings> => ({
  series: {
    slotUs: 250_000,
    startUs: [-250_000, 0, 250_000, 500_000],
    columns: { loadLoopDelayP99Us: [900_000, 100, usualUs, 900_000] },
  },
});
/** A load process that came so late to count at the first and at the second end of the measured phase. */
const countedLate = (firstUs: number, secondUs: number): Partial<Readings> => ({
  samples: [
    samplesOf('server', 0),
    samplesOf('load', 0),
    samplesOf('load', 1, [
      { sample: self(window.fromUs + firstUs), counters: counters({}) },
      { sample: self(window.toUs + secondUs), counters: counters({}) },
    ]),
  ],
});
const serverRead = (lateUs: number): Partial<Readings> => ({
  samples: [
    samplesOf('server', 0, [
      { sample: self(window.fromUs), counters: counters({}) },
      { sample: self(window.toUs + lateUs), counters: counters({}) },
    ]),
    samplesOf('load', 0),
    samplesOf('load', 1),
  ],
});
/** From outside, where a process says nothing of its own CPU. */
const loadRead = (lateUs: number): Partial<Readings> => {
  const reading = { threads: new Map([[1, { ranUs: 0, waitedUs: 0 }]]), processesUs: new Map([[1, 0]]) };
  const ends = [window.fromUs, window.toUs + lateUs].map((atUs) => ({ atUs, reading }));
  return {
    samples: [samplesOf('server', 0), samplesOf('load', 0), samplesOf('load', 1, undefined, ends)],
  };
};
const problem = (code: string, count: number, message = 'a line of more than 3 MiB') => ({
  closed: [closedBy(), closedBy({}, { problems: [{ code, message, count }] })],
});
const freeze = (who: string) => ({ faults: [{ at: '2s', freeze: who, for: '1s' }] });
const played = (atUs: number | undefined): Partial<Readings> => ({
  faults: [{ fault: { kind: 'freeze', atMs: 2000, who: 'server', forMs: 1000 }, atUs }],
});
const serverEvents = (events: number, more = {}) => ({
  serverCounters: counters({ handshakes: 10, events, bytesOut: 2e6, bytesIn: 2000, ...more }),
});
/** Of a target that tells nothing. */
const target = (delivered: number, more: Partial<Readings> = {}): Partial<Readings> => ({
  serverReadings: 'none',
  closed: [closedBy({ delivered, missed: 5000 - delivered }), closedBy({ delivered: 0, missed: 5000 })],
  ...more,
});

export const voidingRows: readonly VoidingRow[] = [
  {
    code: 'load-limited',
    inside: { readings: loadCpu(9_000_000) },
    outside: { readings: loadCpu(9_010_000) },
    says: ['90.1 % of a core', 'at most 90 %', 'loadProcesses=3'],
    voids: timingsAndPace,
  },
  {
    code: 'load-limited',
    when: 'its subscribers poll',
    inside: { variant: variantOf(patterns, 'long-polling') },
    outside: {
      variant: variantOf(patterns, 'long-polling'),
      readings: {
        samples: [
          ...loadCpu(9_500_000).samples!.slice(0, 2),
          samplesOf('load', 1, [
            { sample: self(window.fromUs, { cpuUs: 0 }), counters: counters({}) },
            { sample: self(window.toUs, { cpuUs: 9_500_000 }), counters: counters({ emptyPolls: 1 }) },
          ]),
        ],
      },
    },
    says: ['95 % of a core'],
    voids: ['latency', 'requests', 'bytes', 'wire', 'pace'],
  },
  {
    code: 'load-refused',
    inside: { readings: problem('http-status', 9) },
    outside: { readings: problem('too-long', 3) },
    says: ['3 times for its size', 'a line of more than 3 MiB'],
    voids: allButHeld,
  },
  {
    code: 'load-starved',
    when: '20 ms at least',
    inside: { readings: loopDelay(20_000) },
    outside: { readings: loopDelay(20_100) },
    says: ['20.1 ms late', 'took 1 ms or more'],
    voids: timingsAndPace,
  },
  {
    code: 'load-starved',
    when: '30 % of the slowest deliveries',
    inside: { readings: { ...loopDelay(30_000), ...latencies([100_000, 10_000]) } },
    outside: { readings: { ...loopDelay(30_100), ...latencies([100_000, 10_000]) } },
    says: ['30.1 ms late', '10,000 deliveries took 100 ms or more'],
    voids: timingsAndPace,
  },
  {
    code: 'load-frozen',
    inside: { scenario: freeze('server') },
    outside: { scenario: freeze('load') },
    says: ['the scenario froze the load processes'],
    voids: timingsAndPace,
  },
  {
    code: 'fault-not-done',
    inside: { readings: played(7_000_000) },
    outside: { readings: played(undefined) },
    says: ['the server stood still for 1s, at 2s'],
    voids: evidence,
  },
  {
    code: 'publisher-late',
    when: '10 ms at least',
    inside: { readings: lag([10_000, 1000]) },
    outside: { readings: lag([10_100, 1000]) },
    says: ['1,000 events 10.1 ms or more after', 'took 1 ms or more'],
    voids: timings,
  },
  {
    code: 'publisher-late',
    when: 'a tenth of the slowest deliveries',
    inside: { readings: { ...lag([20_000, 1000]), ...latencies([200_000, 10_000]) } },
    outside: { readings: { ...lag([20_100, 1000]), ...latencies([200_000, 10_000]) } },
    says: ['20.1 ms', '200 ms'],
    voids: timings,
  },
  {
    code: 'publisher-late',
    when: 'one event of a hundred',
    inside: { readings: lag([100, 990], [50_000, 10]) },
    outside: { readings: lag([100, 989], [50_000, 11]) },
    says: ['50 ms'],
    voids: timings,
  },
  {
    code: 'offered-rate',
    inside: { readings: lag([100, 990]) },
    outside: { readings: lag([100, 989]) },
    says: ['planned 1,000 events', '989 of them were sent'],
    voids: allButHeld,
  },
  {
    code: 'offered-rate',
    when: 'the scenario did not freeze the publisher',
    inside: { scenario: freeze('publisher'), readings: lag([100, 500]) },
    outside: { scenario: freeze('server'), readings: lag([100, 500]) },
    says: ['500 of them were sent'],
    voids: allButHeld,
  },
  {
    code: 'subscribers',
    inside: { readings: { subscribers: 10 } },
    outside: { readings: { subscribers: 9 } },
    says: ['9 of 10 subscribers'],
    voids: evidence,
  },
  {
    code: 'sampled-late',
    inside: { readings: countedLate(500_000, 500_000) },
    outside: { readings: countedLate(500_000, 510_000) },
    says: ['10.1 % of its length', 'at most 10 %'],
    voids: ['requests', 'bytes', 'wire', 'pace', 'server-cpu', 'client-cpu'],
  },
  {
    code: 'cpu-elsewhen',
    when: "the server's",
    inside: { readings: serverRead(1_000_000) },
    outside: { readings: serverRead(1_100_000) },
    says: ['the CPU of the server was read over 11.1 s', 'took 10 s', 'at most 10 %', 'it reads its own CPU'],
    voids: ['server-cpu'],
  },
  {
    code: 'cpu-elsewhen',
    when: "a load process's",
    inside: { readings: loadRead(-1_000_000) },
    outside: { readings: loadRead(-1_100_000) },
    says: ['the CPU of a load process was read over 8.9 s', 'pushbench itself came late'],
    voids: ['client-cpu'],
  },
  {
    code: 'ledger-open',
    inside: { readings: { closed: [closedBy({ delivered: 4999, missed: 1 }), closedBy()] } },
    outside: { readings: { closed: [closedBy({ delivered: 4999 }), closedBy()] } },
    says: ['do not add up to the 10,000 expected'],
    voids: ['latency', 'losses', 'requests', 'bytes', 'wire', 'server-cpu', 'pace'],
  },
  {
    code: 'clock',
    inside: { readings: latencies([0, 10_000]) },
    outside: { readings: { ...latencies([0, 10_000], [-1, 2]), ...lag([100, 1000], [-5, 1]) } },
    says: ['3 latencies were below zero'],
    voids: timings,
  },
  {
    code: 'emulated',
    inside: {},
    outside: { readings: { emulator: 'an emulator of SQS' } },
    says: ['the servers used an emulator of SQS', 'all times are the stand-in'],
    voids: ['latency', 'backlog', 'pace'],
  },
  {
    code: 'out-of-range',
    inside: { readings: latencies([1000, 9999], [2 ** 31 - 1, 1]) },
    outside: { readings: { ...latencies([1000, 9999], [2 ** 31, 1]), ...lag([100, 1000], [2 ** 31, 1]) } },
    says: ['2 latencies were above 35 minutes'],
    voids: timings,
  },
  {
    code: 'counts-disagree',
    inside: { readings: serverEvents(11_000) },
    outside: { readings: serverEvents(11_001) },
    says: ['events: 11,001 and 11,000'],
    voids: ['latency', 'losses', 'pace'],
  },
  {
    code: 'counts-disagree',
    when: 'nothing explains it',
    inside: { readings: serverEvents(11_001, { errors: 1 }) },
    outside: { readings: serverEvents(11_000, { fullPolls: 7 }) },
    says: ['full polls: 7 and 0'],
    voids: ['requests'],
  },
  {
    code: 'target-silent',
    inside: { readings: target(1) },
    outside: { readings: target(0) },
    says: ['nothing that was published came back'],
    voids: evidence,
  },
  {
    code: 'target-ended',
    inside: { readings: target(5000, { serverReadings: 'outside' }) },
    outside: { readings: target(5000, { serverReadings: 'outside', serverGone: true }) },
    says: ["the target's process ended"],
    voids: evidence,
  },
];
