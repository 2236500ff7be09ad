// Metrics computed from others' figures: a subscriber's day, shares of the descriptor limits, what stood on
// the wire with the headers of TCP and IP. The metrics read directly are metrics/registry.ts.

import { requestsOf } from '../result/counters.ts';
import { headroomOf } from './headroom.ts';
import type { Metric } from './metric.ts';
import type { Completed } from '../result/result.ts';

const dayUs = 86_400e6;
/**
 * The limit that texts on connection counts speak of. What a machine really allows is
 * `descriptors.share-of-limit`.
 */
const oftenQuotedLimit = 65_535;

const subscriberDays = (trial: Completed) => (trial.subscribers * trial.measuredUs) / dayUs;
const perDelivery = ({ measuredDeliveries }: Completed, total: number | undefined) =>
  total === undefined || measuredDeliveries === 0 ? undefined : total / measuredDeliveries;

export const derivedMetrics: Readonly<Record<string, Metric>> = {
  'requests-per-day-per-subscriber': {
    unit: 'count',
    title: 'requests a day of one subscriber',
    read: (t) => requestsOf(t.counters.clientMeasured) / subscriberDays(t),
  },
  'bytes-per-day-per-subscriber': {
    unit: 'bytes',
    title: 'bytes a day of one subscriber, both ways',
    read: (t) => (t.counters.clientMeasured.bytesIn + t.counters.clientMeasured.bytesOut) / subscriberDays(t),
  },
  'deliveries-per-day-per-subscriber': {
    unit: 'count',
    title: 'deliveries a day to one subscriber',
    read: (t) => t.measuredDeliveries / subscriberDays(t),
  },
  headroom: {
    unit: 'count',
    title: 'times this load that the load side could have taken, about; 10 is 10 or more',
    read: headroomOf,
  },
  'deliveries-per-s': {
    unit: 'per-s',
    title: 'deliveries a second',
    read: (t) => t.measuredDeliveries / (t.measuredUs / 1e6),
  },
  'descriptors.share-of-65535': {
    unit: 'share',
    title: 'server descriptors, peak, share of 65,535',
    read: (t) => (t.descriptors ? t.descriptors.peak / oftenQuotedLimit : undefined),
  },
  'descriptors.share-of-limit': {
    unit: 'share',
    title: "server descriptors, peak, share of the process's own limit",
    read: (t) => (t.descriptors ? t.descriptors.peak / t.descriptors.limit : undefined),
  },
  'packets-per-delivery': {
    unit: 'count',
    title: 'TCP segments per delivery, whole host',
    read: (t) => perDelivery(t, t.network?.segments),
  },
  'wire-bytes-per-delivery': {
    unit: 'bytes',
    title: 'bytes per delivery with TCP and IP headers, whole host',
    read: (t) => perDelivery(t, t.network?.wireBytes),
  },
};
