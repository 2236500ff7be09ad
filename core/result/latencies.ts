// Describes the latencies of a trial in its result: what was timed, and how sure its percentiles are.

import { z } from 'zod';
import { storedHistogram as histogram } from './stored-histogram.ts';

const count = z.int().min(0);

export const latencies = z.strictObject({
  endToEnd: histogram.describe('planned publish time to receipt, per delivery'),
  acceptToReceipt: histogram
    .optional()
    .describe("server's acceptance to receipt, per delivery; left out of simulations"),
  publisherLag: histogram.optional().describe('planned to sent, per event; left out of simulations'),
  publishRoundTrip: histogram.optional().describe('sent to confirmed, per event; left out of simulations'),
  firstReceiver: histogram.describe('planned to first receipt, per event with several receivers'),
  medianReceiver: histogram.describe('planned to median receipt, of the same events'),
  lastReceiver: histogram.describe('planned to last receipt, of the same events'),
  page: histogram
    .optional()
    .describe(
      "planned time of a browser's other request to its answer, where subscribers are pages of browsers",
    ),
  request: histogram
    .optional()
    .describe(
      'sent to answered, per request of the measured phase, of subscribers that ask on a schedule; not ' +
        'in older results',
    ),
  upstream: histogram
    .optional()
    .describe(
      "planned time of a subscriber's own message to the server's " +
        'acknowledgement, where subscribers publish',
    ),
});

export const precision = z.strictObject({
  shownUpTo: z
    .number()
    .describe('the highest quantile with enough events beyond it; 0: not even the median has enough'),
  at: z
    .array(
      z.strictObject({
        quantile: z.number().describe('0 to 1'),
        lowUs: z
          .number()
          .describe('lower end of the 95 % interval within this trial, with events as the samples'),
        highUs: z.number().nullable().describe('upper end of it; null if there are too few events to say'),
        beyond: count.describe('distinct events with a receipt beyond it'),
      }),
    )
    .describe('the percentiles that are shown'),
});
