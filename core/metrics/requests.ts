// Reads what deliveries cost on the wire: requests, bytes and packets, over the measured phase.

import { requestsOf } from '../result/counters.ts';
import type { Metric } from './metric.ts';
import { perDelivery, perSubscriberDay } from './per.ts';
import { asks, connects } from './who-has.ts';
import type { Completed } from '../result/result.ts';

const requests = ({ counters }: Completed) => requestsOf(counters.clientMeasured);
const bytes = ({ counters: { clientMeasured: c } }: Completed) => c.bytesIn + c.bytesOut;
const seconds = ({ measuredUs }: Completed) => measuredUs / 1e6;

export const requestMetrics: Readonly<Record<string, Metric>> = {
  requests: {
    unit: 'count',
    rests: ['requests'],
    title: 'requests',
    description: 'Requests from and to subscribers in the measured phase, without those of the publisher.',
    better: 'lower',
    read: requests,
  },
  'requests-per-s': {
    unit: 'per-s',
    rests: ['requests'],
    title: 'requests per second',
    description: 'Requests from and to subscribers in a second of the measured phase.',
    better: 'lower',
    read: (t) => requests(t) / seconds(t),
  },
  'requests-per-delivery': {
    unit: 'count',
    rests: ['requests', 'losses'],
    title: 'requests per delivery',
    description: 'Requests from and to subscribers for each delivery.',
    better: 'lower',
    read: perDelivery(requests),
  },
  'requests-per-day-per-subscriber': {
    unit: 'count',
    rests: ['requests'],
    title: 'requests per day and subscriber',
    description: 'Requests of one subscriber in a day, at the rate of the measured phase.',
    better: 'lower',
    read: perSubscriberDay(requests),
  },
  'empty-polls': {
    unit: 'count',
    rests: ['requests'],
    title: 'empty polls',
    description: 'Polls and long polls that were answered without an event.',
    better: 'lower',
    has: asks,
    read: (t) => t.counters.clientMeasured.emptyPolls,
  },
  'empty-poll-share': {
    unit: 'share',
    rests: ['requests'],
    title: 'share of polls that were empty',
    description: 'Share of the answered polls and long polls that brought no event.',
    better: 'lower',
    has: asks,
    read: ({ counters: { clientMeasured: c } }) =>
      c.emptyPolls + c.fullPolls === 0 ? undefined : c.emptyPolls / (c.emptyPolls + c.fullPolls),
  },
  'page-requests-answered': {
    unit: 'share',
    rests: ['requests', 'latency'],
    title: "share of the browsers' other requests that were answered",
    description: "Share of the browsers' other requests that were answered.",
    better: 'higher',
    has: connects,
    read: ({ pageRequests: p }) => (p && p.planned > 0 ? p.answered / p.planned : undefined),
  },
  'bytes-per-delivery': {
    unit: 'bytes',
    rests: ['bytes', 'losses'],
    title: 'bytes per delivery, both ways',
    description:
      'Bytes between subscribers and servers for each delivery, without the headers of TCP and IP.',
    better: 'lower',
    read: perDelivery(bytes),
  },
  bytes: {
    unit: 'bytes',
    rests: ['bytes'],
    title: 'bytes, both ways',
    description:
      'Bytes between subscribers and servers in the measured phase, without the headers of TCP and IP.',
    better: 'lower',
    read: bytes,
  },
  'bytes-per-s': {
    unit: 'bytes',
    rests: ['bytes'],
    title: 'bytes a second, both ways',
    description: 'Bytes between subscribers and servers in a second, without the headers of TCP and IP.',
    better: 'lower',
    read: (t) => bytes(t) / seconds(t),
  },
  'bytes-per-day-per-subscriber': {
    unit: 'bytes',
    rests: ['bytes'],
    title: 'bytes per day and subscriber, both ways',
    description: 'Bytes of one subscriber in a day, at the rate of the measured phase.',
    better: 'lower',
    read: perSubscriberDay(bytes),
  },
  'deliveries-per-s': {
    unit: 'per-s',
    rests: ['pace', 'losses'],
    title: 'deliveries per second',
    description: 'Deliveries that subscribers received in a second of the measured phase.',
    better: 'neither',
    read: (t) => t.measuredDeliveries / seconds(t),
  },
  'deliveries-per-day-per-subscriber': {
    unit: 'count',
    rests: ['pace', 'losses'],
    title: 'deliveries per day and subscriber',
    description: 'Deliveries to one subscriber in a day, at the rate of the measured phase.',
    better: 'neither',
    read: perSubscriberDay(({ measuredDeliveries }) => measuredDeliveries),
  },
  'packets-per-delivery': {
    unit: 'count',
    rests: ['wire', 'losses'],
    title: 'TCP segments per delivery, whole host',
    description: 'TCP segments that the whole host sent for each delivery, publishing included.',
    better: 'lower',
    read: perDelivery((t) => t.network?.segments),
  },
  'wire-bytes-per-delivery': {
    unit: 'bytes',
    rests: ['wire', 'losses'],
    title: 'bytes per delivery with TCP and IP headers, whole host',
    description:
      'Bytes that the whole host sent for each delivery, with the headers of TCP and IP and with publishing.',
    better: 'lower',
    read: perDelivery((t) => t.network?.wireBytes),
  },
};
