// Lists for what workers on other machines do to a trial the reading just inside its limit and the one just
// outside.

import { evidence } from '../../../core/result/evidence.ts';
import type { WorkerUse } from '../../../core/result/worker-use.ts';
import { closedBy, sparse } from './readings.ts';
import type { Case, VoidingRow } from './validity-rows.ts';

const worker = (load: number, more: Partial<WorkerUse> = {}): WorkerUse => ({
  load,
  name: `bench-${load}.7`,
  subscribers: 5,
  offsetUs: 5_000_000,
  boundUs: 100,
  driftUs: 3,
  ...more,
});
const workers = (more: Partial<WorkerUse>): Case => ({ readings: { workers: [worker(0), worker(1, more)] } });

/** So many of 10,000 times from a server's acceptance to receipt were below zero, by so much. */
const below = (valueUs: number, count: number): Case => ({
  readings: {
    workers: [worker(0), worker(1)],
    closed: [
      closedBy({}, { acceptToReceipt: sparse([500, 5000 - count], [valueUs, count]) }),
      closedBy({}, { acceptToReceipt: sparse([500, 5000]) }),
    ],
  },
});

export const workerRows: readonly VoidingRow[] = [
  {
    code: 'worker-lost',
    inside: workers({}),
    outside: {
      readings: {
        workers: [
          worker(0),
          worker(1, { lost: { why: 'it has not been heard of for 5 s', atUs: 4_000_000 } }),
        ],
        closed: [closedBy(), closedBy({ delivered: 3000, unreported: 2000 })],
      },
    },
    says: [
      '1 worker was lost',
      'bench-1.7 with 5 subscribers',
      '4 s',
      'not been heard of',
      '2,000 deliveries',
    ],
    voids: evidence,
  },
  {
    code: 'worker-clock',
    inside: workers({ boundUs: 250 }),
    outside: workers({ boundUs: 251 }),
    says: ['the clock of bench-1.7 is known to 251 µs', 'took 1 ms or less', 'at most 25 %'],
    voids: ['latency'],
  },
  {
    code: 'clock',
    when: 'by more than the clocks of workers are known',
    inside: below(-100, 10),
    outside: below(-101, 10),
    says: ['10 latencies were below zero'],
    voids: ['latency'],
  },
  {
    code: 'clock',
    when: 'more often than the clocks of workers explain',
    inside: below(-100, 100),
    outside: below(-100, 101),
    says: ['101 latencies were below zero'],
    voids: ['latency'],
  },
  {
    code: 'load-overcount',
    inside: { readings: { owed: 10_000 } },
    outside: { readings: { owed: 9999 } },
    says: ['account for 10,000 deliveries', 'ask for 9,999'],
    voids: evidence.filter((one) => one !== 'descriptors' && one !== 'memory'),
  },
];
