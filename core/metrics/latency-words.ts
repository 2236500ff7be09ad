// Names what each latency times, and the points of its distribution that are metrics.

import type { Completed } from '../result/result.ts';

export type LatencyName = keyof Completed['latency'];

/** The points of a distribution that are metrics. */
export const points = [
  ['p50', 0.5, 'median'],
  ['p90', 0.9, '90th percentile'],
  ['p99', 0.99, '99th percentile'],
  ['p99.9', 0.999, '99.9th percentile'],
  ['max', 1, 'maximum'],
] as const;

/** What is timed, as descriptions say it. */
export const timed: Readonly<Record<LatencyName, string>> = {
  endToEnd: 'the time from the planned publish time of an event to its receipt, over all deliveries',
  acceptToReceipt: "the time from the server's acceptance of an event to its receipt, over all deliveries",
  publisherLag: 'the time by which events were sent later than planned: the lag of the load generator',
  publishRoundTrip: "the time from sending an event to the server's confirmation",
  firstReceiver:
    'the time from the planned publish time of an event with several receivers to its first receipt',
  medianReceiver:
    'the time from the planned publish time of an event with several receivers to its median receipt',
  lastReceiver:
    'the time from the planned publish time of an event with several receivers to its last receipt',
  page: "the time from the planned moment of a browser's other request to its answer",
  request: 'the time from sending a poll to its answer',
  upstream: "the time from the planned moment of a subscriber's own message to its acknowledgement",
};
