// Describes what became of a trial's deliveries, as a result holds it.

import { z } from 'zod';

const count = z.int().min(0);

export const ledgerCounts = z.strictObject({
  published: count.describe('measured events that the server confirmed'),
  unconfirmed: count.describe(
    'measured events that were sent and not answered; no delivery is expected of them',
  ),
  expected: count.describe('deliveries: each published event once for each follower of its topic'),
  delivered: count,
  missed: count,
  duplicated: count,
  reordered: count,
  resumed: count,
  corrupted: count,
  unexpected: count,
  missing: z
    .array(z.strictObject({ subscriber: count, topic: z.string(), from: count, to: count }))
    .describe('some of the missed deliveries'),
});
