// Reads the cost of webhook retries, and the backlog that they caused.

import type { Metric } from './metric.ts';
import { calls } from './who-has.ts';
import type { Completed } from '../result/result.ts';

export const webhookMetrics: Readonly<Record<string, Metric>> = {
  'attempts-per-event': {
    unit: 'count',
    rests: ['requests'],
    title: 'attempts per webhook delivery',
    description: 'Requests that the server made for each delivery, retries included, over the whole trial.',
    better: 'lower',
    has: calls,
    read: ({ counters: { server: c } }) =>
      c.deliveryRequests === 0 ? undefined : (c.deliveryRequests + c.retries) / c.deliveryRequests,
  },
  'answers-lost': {
    unit: 'count',
    rests: ['requests'],
    title: 'answers lost after the receiver had acted',
    description:
      'Requests that a receiver acted on and whose answer the sender never got, over the whole trial.',
    better: 'lower',
    has: calls,
    read: (t) => t.counters.client.answersLost,
  },
  'backlog.peak': {
    unit: 'count',
    rests: ['backlog'],
    title: 'peak backlog',
    description: 'The most deliveries that the servers had accepted but not yet made, as sampled.',
    better: 'lower',
    has: calls,
    read: (t) => peak(t, 'serverBacklog'),
  },
  'backlog.end': {
    unit: 'count',
    rests: ['backlog'],
    title: 'backlog at the end of the measured phase',
    description: 'Deliveries that the servers had accepted but not yet made when the measured phase ended.',
    better: 'lower',
    has: calls,
    read: (t) => column(t, 'serverBacklog').at(-1),
  },
  'oldest-age.peak': {
    unit: 'us',
    rests: ['backlog'],
    title: "maximum age of the oldest pending delivery, on the server's clock",
    description: "The longest that the oldest pending delivery had waited, on the server's own clock.",
    better: 'lower',
    has: calls,
    read(t) {
      const ms = peak(t, 'serverOldestMs');
      return ms === undefined ? undefined : ms * 1000;
    },
  },
};

function peak(trial: Completed, name: string): number | undefined {
  const values = column(trial, name);
  return values.length === 0 ? undefined : Math.max(...values);
}

/** What was sampled, without the slots in which nothing was. */
function column(trial: Completed, name: string): number[] {
  return (trial.series.columns[name] ?? []).filter((value) => value !== null);
}
