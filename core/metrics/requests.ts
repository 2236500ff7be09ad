// Reads what deliveries cost on the wire: requests, bytes and packets, over the measured phase.

import { requestsOf } from '../result/counters.ts';
import type { Metric } from './metric.ts';
import { perDelivery, perSubscriberDay } from './per.ts';
import type { Completed } from '../result/result.ts';

const requests = ({ counters }: Completed) => requestsOf(counters.clientMeasured);
const bytes = ({ counters: { clientMeasured: c } }: Completed) => c.bytesIn + c.bytesOut;
const seconds = ({ measuredUs }: Completed) => measuredUs / 1e6;

export const requestMetrics: Readonly<Record<string, Metric>> = {
  requests: { unit: 'count', rests: ['requests'], title: 'requests', read: requests },
  'requests-per-s': {
    unit: 'per-s',
    rests: ['requests'],
    title: 'requests per second',
    read: (t) => requests(t) / seconds(t),
  },
  'requests-per-delivery': {
    unit: 'count',
    rests: ['requests', 'losses'],
    title: 'requests per delivery',
    read: perDelivery(requests),
  },
  'requests-per-day-per-subscriber': {
    unit: 'count',
    rests: ['requests'],
    title: 'requests per day and subscriber',
    read: perSubscriberDay(requests),
  },
  'empty-polls': {
    unit: 'count',
    rests: ['requests'],
    title: 'empty polls',
    read: (t) => t.counters.clientMeasured.emptyPolls,
  },
  'empty-poll-share': {
    unit: 'share',
    rests: ['requests'],
    title: 'share of polls that were empty',
    read: ({ counters: { clientMeasured: c } }) =>
      c.emptyPolls + c.fullPolls === 0 ? undefined : c.emptyPolls / (c.emptyPolls + c.fullPolls),
  },
  'page-requests-answered': {
    unit: 'share',
    rests: ['requests', 'latency'],
    title: "share of the browsers' other requests that were answered",
    read: ({ pageRequests: p }) => (p && p.planned > 0 ? p.answered / p.planned : undefined),
  },
  'bytes-per-delivery': {
    unit: 'bytes',
    rests: ['bytes', 'losses'],
    title: 'bytes per delivery, both ways',
    read: perDelivery(bytes),
  },
  bytes: { unit: 'bytes', rests: ['bytes'], title: 'bytes, both ways', read: bytes },
  'bytes-per-s': {
    unit: 'bytes',
    rests: ['bytes'],
    title: 'bytes a second, both ways',
    read: (t) => bytes(t) / seconds(t),
  },
  'bytes-per-day-per-subscriber': {
    unit: 'bytes',
    rests: ['bytes'],
    title: 'bytes per day and subscriber, both ways',
    read: perSubscriberDay(bytes),
  },
  'deliveries-per-s': {
    unit: 'per-s',
    rests: ['pace', 'losses'],
    title: 'deliveries per second',
    read: (t) => t.measuredDeliveries / seconds(t),
  },
  'deliveries-per-day-per-subscriber': {
    unit: 'count',
    rests: ['pace', 'losses'],
    title: 'deliveries per day and subscriber',
    read: perSubscriberDay(({ measuredDeliveries }) => measuredDeliveries),
  },
  'packets-per-delivery': {
    unit: 'count',
    rests: ['wire', 'losses'],
    title: 'TCP segments per delivery, whole host',
    read: perDelivery((t) => t.network?.segments),
  },
  'wire-bytes-per-delivery': {
    unit: 'bytes',
    rests: ['wire', 'losses'],
    title: 'bytes per delivery with TCP and IP headers, whole host',
    read: perDelivery((t) => t.network?.wireBytes),
  },
};
