// Describes what became of a trial's deliveries, as a result holds it.

import { z } from 'zod';

const count = z.int().min(0);

export const ledgerCounts = z.strictObject({
  published: count.describe('measured events that the server confirmed'),
  unconfirmed: count.describe(
    'measured events that were sent and not answered; no delivery is expected of them',
  ),
  expected: count.describe('deliveries: each published event once for each follower of its topic'),
  delivered: count.describe('expected deliveries that arrived, each counted once'),
  missed: count.describe('expected deliveries that had not arrived when the drain was over'),
  unreported: count
    .optional()
    .describe(
      'expected deliveries to the subscribers of a worker that was lost, of which it had not said that ' +
        'they arrived; left out if no worker was lost, and in older results',
    ),
  duplicated: count.describe('arrivals of an event at a subscriber that already had it'),
  reordered: count.describe('first arrivals of an event after a later event of the same topic'),
  resumed: count.describe('deliveries that a subscriber got by coming back after an absence'),
  corrupted: count.describe('deliveries whose body does not have the checksum of the published one'),
  unexpected: count.describe('arrivals that nobody had asked for'),
  missing: z
    .array(
      z.strictObject({
        subscriber: count.describe('number of the subscriber, from 0'),
        topic: z.string().describe('its name'),
        from: count.describe('the first sequence number that is missing'),
        to: count.describe('the last one of this stretch'),
      }),
    )
    .describe('some of the missed'),
});
