// Reads what became of the deliveries: the ledger's counts, and what went wrong on the way.

import type { Better, Metric } from './metric.ts';
import { connects } from './who-has.ts';
import type { Completed } from '../result/result.ts';

const count = (
  title: string,
  better: Better,
  description: string,
  read: Metric['read'],
  rests: Metric['rests'] = ['losses'],
): Metric => ({ unit: 'count', title, description, better, rests, read });

const deliveries = {
  none: 'nothing was delivered',
  count: ({ ledger }: Completed) => ledger.delivered + ledger.unexpected,
};
const expected = {
  none: 'no delivery was expected, as the server confirmed no event',
  count: ({ ledger }: Completed) => ledger.expected,
};
const among = (set: NonNullable<Metric['among']>, metric: Metric): Metric => ({ ...metric, among: set });

export const ledgerMetrics: Readonly<Record<string, Metric>> = {
  published: count(
    'events published',
    'neither',
    'Events of the measured phase that the server confirmed.',
    (t) => t.ledger.published,
  ),
  expected: count(
    'deliveries expected',
    'neither',
    'Deliveries of the confirmed events: each event once for each follower of its topic.',
    (t) => t.ledger.expected,
  ),
  delivered: count(
    'deliveries made',
    'higher',
    'Expected deliveries that arrived, each counted once.',
    (t) => t.ledger.delivered,
  ),
  missed: among(
    expected,
    count(
      'missed',
      'lower',
      'Expected deliveries that had not arrived when the drain was over.',
      (t) => t.ledger.missed,
    ),
  ),
  duplicated: among(
    deliveries,
    count(
      'duplicated',
      'lower',
      'Arrivals of an event at a subscriber that already had it.',
      (t) => t.ledger.duplicated,
    ),
  ),
  'duplicated.unexplained': among(
    deliveries,
    count(
      'duplicates not explained by lost answers',
      'lower',
      'Duplicates, less one for each lost answer: a sender that got no answer must send the event again.',
      (t) => Math.max(0, t.ledger.duplicated - t.counters.client.answersLost),
    ),
  ),
  reordered: among(
    deliveries,
    count(
      'reordered',
      'lower',
      'First arrivals of an event after a later event of the same topic.',
      (t) => t.ledger.reordered,
    ),
  ),
  resumed: among(
    deliveries,
    count(
      'resumed',
      'neither',
      'Deliveries that a subscriber got by coming back after an absence: what the server had kept for it.',
      (t) => t.ledger.resumed,
    ),
  ),
  corrupted: among(
    deliveries,
    count(
      'corrupted',
      'lower',
      'Deliveries whose body does not have the checksum of the published one.',
      (t) => t.ledger.corrupted,
    ),
  ),
  unexpected: among(
    deliveries,
    count(
      'unexpected',
      'lower',
      'Arrivals that nobody had asked for, such as an event of a topic that the subscriber does not follow.',
      (t) => t.ledger.unexpected,
    ),
  ),
  errors: count(
    'errors of server and clients',
    'lower',
    'What should not happen, on either side: malformed frames, unexpected statuses, broken connections.',
    // No model counts what fails as an error.
    ({ simulated, counters: { server, client } }: Completed) =>
      simulated ? undefined : server.errors + client.errors,
    ['connections'],
  ),
  reconnects: {
    ...count(
      'reconnects',
      'lower',
      'Times that subscribers connected again, and first polls after being cut off.',
      (t) => t.counters.client.reconnects,
      ['connections'],
    ),
    has: connects,
  },
};
