// Lists for the warnings on a network between the processes the readings just inside and just outside of each
// limit: one that came late itself, and one that was to look into what it cannot read.

import { evidence } from '../../../core/result/evidence.ts';
import type { Readings } from '../../../harness/trial/readings.ts';
import { noTraffic } from '../../../network/proxy.ts';
import { histogram, readingsOf, samplesOf, self, window } from './readings.ts';
import type { Case, VoidingRow } from './validity-rows.ts';

const through = (more: Partial<Readings> = {}, unreadable = 0): Case => ({
  readings: { traffic: { ...noTraffic, accepted: 10, unreadable }, ...more },
});
/** In two of three slots of the measured phase. */
const delay = (usualUs: number): Partial<Readings> => ({
  series: {
    slotUs: 250_000,
    startUs: [-250_000, 0, 250_000, 500_000],
    columns: { networkLoopDelayP99Us: [900_000, 100, usualUs, 900_000] },
  },
});
const { processes, samples } = readingsOf();
/** The CPU that its process took in the ten measured seconds. */
const cpu = (cpuUs: number): Partial<Readings> => ({
  processes: [...processes, { ...processes[0]!, role: 'network', pid: 110 }],
  samples: [
    ...samples,
    samplesOf('network', 0, [
      { sample: self(window.fromUs, { cpuUs: 0 }) },
      { sample: self(window.toUs, { cpuUs }) },
    ]),
  ],
});

export const networkRows: readonly VoidingRow[] = [
  {
    code: 'network-late',
    when: '20 ms at least',
    inside: through(delay(20_000)),
    outside: through(delay(20_100)),
    says: ['scheduled at least 20.1 ms late', 'at most 20 ms'],
    voids: ['latency', 'pace'],
  },
  {
    code: 'network-late',
    when: '30 % of the slowest deliveries',
    inside: through({ ...delay(30_000), latency: histogram([100_000, 10_000]) }),
    outside: through({ ...delay(30_100), latency: histogram([100_000, 10_000]) }),
    says: ['scheduled at least 30.1 ms late'],
    voids: ['latency', 'pace'],
  },
  {
    code: 'network-late',
    when: 'no time left',
    inside: through(cpu(9_000_000)),
    outside: through(cpu(9_010_000)),
    says: ['used 90.1 % of a core (at most 90 % is trusted)'],
    voids: ['latency', 'pace'],
  },
  {
    code: 'fault-not-done',
    when: 'the network cannot read what it was to look into',
    inside: through({}, 0),
    outside: through({}, 3),
    says: ['3 connections did not speak it in clear text'],
    voids: evidence,
  },
];
