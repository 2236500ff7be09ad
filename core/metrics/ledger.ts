// Reads what became of the deliveries: the ledger's counts, and what went wrong on the way.

import type { Metric } from './metric.ts';
import type { Completed } from '../result/result.ts';

const count = (title: string, read: Metric['read'], rests: Metric['rests'] = ['losses']): Metric => ({
  unit: 'count',
  title,
  rests,
  read,
});

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
  published: count('events published', (t) => t.ledger.published),
  expected: count('deliveries expected', (t) => t.ledger.expected),
  delivered: count('deliveries made', (t) => t.ledger.delivered),
  missed: among(
    expected,
    count('missed', (t) => t.ledger.missed),
  ),
  duplicated: among(
    deliveries,
    count('duplicated', (t) => t.ledger.duplicated),
  ),
  'duplicated.unexplained': among(
    deliveries,
    count('duplicates not explained by lost answers', (t) =>
      Math.max(0, t.ledger.duplicated - t.counters.client.answersLost),
    ),
  ),
  reordered: among(
    deliveries,
    count('reordered', (t) => t.ledger.reordered),
  ),
  resumed: among(
    deliveries,
    count('resumed', (t) => t.ledger.resumed),
  ),
  corrupted: among(
    deliveries,
    count('corrupted', (t) => t.ledger.corrupted),
  ),
  unexpected: among(
    deliveries,
    count('unexpected', (t) => t.ledger.unexpected),
  ),
  errors: count(
    'errors of server and clients',
    // No model counts what fails as an error.
    ({ simulated, counters: { server, client } }: Completed) =>
      simulated ? undefined : server.errors + client.errors,
    ['connections'],
  ),
  reconnects: count('reconnects', (t) => t.counters.client.reconnects, ['connections']),
};
