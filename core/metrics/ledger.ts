// Reads what became of the deliveries: the ledger's counts, and what went wrong on the way.

import type { Metric } from './metric.ts';
import type { Completed } from '../result/result.ts';

const count = (title: string, read: Metric['read'], rests: Metric['rests'] = ['losses']): Metric => ({
  unit: 'count',
  title,
  rests,
  read,
});

export const ledgerMetrics: Readonly<Record<string, Metric>> = {
  published: count('events published', (t) => t.ledger.published),
  expected: count('deliveries expected', (t) => t.ledger.expected),
  delivered: count('deliveries made', (t) => t.ledger.delivered),
  missed: count('missed', (t) => t.ledger.missed),
  duplicated: count('duplicated', (t) => t.ledger.duplicated),
  'duplicated.unexplained': count('duplicates beyond the lost answers', (t) =>
    Math.max(0, t.ledger.duplicated - t.counters.client.answersLost),
  ),
  reordered: count('reordered', (t) => t.ledger.reordered),
  resumed: count('resumed', (t) => t.ledger.resumed),
  corrupted: count('corrupted', (t) => t.ledger.corrupted),
  unexpected: count('unexpected', (t) => t.ledger.unexpected),
  errors: count(
    'errors of server and clients',
    ({ counters: { server, client } }: Completed) => server.errors + client.errors,
    ['connections'],
  ),
  reconnects: count('reconnects', (t) => t.counters.client.reconnects, ['connections']),
};
