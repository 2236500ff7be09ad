// Decides how a receiver answers: well, with an error, late, never, or not at all after it has acted. It is
// set from outside while it runs, for all requests or for the next few.

import { z } from 'zod';

/** As long as a sender may wait, and longer. */
const longestMs = 10 * 60_000;

/** What `PUT /conduct` takes; what is left out is as in the beginning of a receiver. */
export const conductSchema = z.strictObject({
  does: z
    .enum(['answer', 'hang', 'lose-answer', 'reset'])
    .default('answer')
    .describe(
      'answer: with the status; hang: never answer; lose-answer: act, and cut the connection instead of ' +
        'answering; reset: cut the connection and do nothing',
    ),
  status: z
    .int()
    .min(200)
    .max(599)
    .default(204)
    .describe('the status to answer with; from 300 on the delivery is not processed'),
  byMs: z.int().min(0).max(longestMs).default(0).describe('how late the answer is'),
  times: z.int().min(1).max(1_000_000).optional().describe('for this many requests; then 204 again'),
});
export type Conduct = z.output<typeof conductSchema>;

export const wellBehaved: Conduct = conductSchema.parse({});

export type ConductControl = {
  /** As it is now, with the requests that are left of `times`. */
  now(): Conduct;
  set(conduct: Conduct): void;
  /** What to do with the request that has come. */
  next(): Conduct;
};

export function createConduct(first: Conduct): ConductControl {
  let conduct = first;
  return {
    now: () => conduct,
    set: (given) => void (conduct = given),
    next() {
      const chosen = conduct;
      if (chosen.times !== undefined)
        conduct = chosen.times > 1 ? { ...chosen, times: chosen.times - 1 } : wellBehaved;
      return chosen;
    },
  };
}

/** Whether the receiver acts upon what it gets then. */
export function isActedUpon({ does, status }: Conduct): boolean {
  return does === 'lose-answer' || (does === 'answer' && status < 300);
}

/** What is done, for people: `204`, `500 after 2000 ms`, `nothing: it hangs`. */
export function conductWords({ does, status, byMs }: Conduct): string {
  if (does === 'hang') return 'no answer: it hangs';
  if (does === 'reset') return 'no answer: the connection is cut';
  if (does === 'lose-answer') return 'no answer: acted upon, then the connection is cut';
  return byMs === 0 ? String(status) : `${status} after ${byMs} ms`;
}

/** Each conduct that the page and the command line offer, as `PUT /conduct` takes it. */
export const offered = [
  { what: 'does well again', conduct: {} },
  { what: 'answers 500', conduct: { status: 500 } },
  { what: 'answers 500 to the next two, then 204 again', conduct: { status: 500, times: 2 } },
  { what: 'answers 410, which asks never to be called again', conduct: { status: 410 } },
  { what: 'is slow: 3 seconds', conduct: { byMs: 3000 } },
  { what: 'hangs: never answers', conduct: { does: 'hang' } },
  { what: 'loses its answer: acts, then cuts the connection', conduct: { does: 'lose-answer' } },
] as const;
