// Lists for what the place of a trial does to it the reading just inside its limit and the one just outside.

import type { VoidingRow } from './validity-rows.ts';

/** What a quota did in the ten measured seconds. */
const throttled = (throttledUs: number) => ({
  readings: { throttling: { periods: 100, throttledPeriods: 3, throttledUs } },
});

export const placeRows: readonly VoidingRow[] = [
  {
    code: 'throttled',
    inside: throttled(100_000),
    outside: throttled(101_000),
    says: ['used up in 3 of its 100 periods', '101 ms in all', 'at most 1 % of the', 'Raise the quota'],
    voids: ['latency', 'pace'],
  },
];
