// Polling subscribers: each asks on a schedule of its own whether there is anything new. The first poll,
// which fetches the cursor, goes out at once; the second after a random share of the interval, so that
// subscribers spread evenly over it however fast they connected.

import type { PatternOptions } from '../core/pattern/registry.ts';
import { gzipAccepted } from './wire/gunzip.ts';
import { encodeRequest, pathBelow } from './wire/http-head.ts';
import type { LoadContext, PatternLoad, RunningLoad } from './pattern.ts';
import { startPollers, type Poller } from './subscribers/poller.ts';

/** A server that takes longer over an answer that it need not wait for is stuck. */
const answerWithinMs = 30_000;

export const polling: PatternLoad<PatternOptions<'polling'>> = {
  start(context, options): RunningLoad {
    const url = new URL(context.endpoint.url);
    const target = pathBelow(url, '/poll');
    const { connection, conditional } = options;
    const accepted = gzipAccepted(options.gzip);

    return startPollers(context, {
      request({ topics, cursor, etag }) {
        const since = cursor === '' ? '' : `&since=${cursor}`;
        const condition = conditional && etag !== '' ? { 'if-none-match': etag } : {};
        return encodeRequest(url, `${target}?topics=${topics}${since}`, {
          ...condition,
          ...accepted,
          connection,
        });
      },
      answered: (poller) => planNext(poller, options, context.random),
      answerWithinMs,
      finishes: true,
    });
  },
};

/**
 * When the next poll is due, counted from when the last one was, so that neither the answer's time nor a late
 * timer lowers the rate. One that is due before the last was answered goes out right after the answer, and
 * those that would have been due meanwhile are left out.
 * @returns the wait in milliseconds
 */
function planNext(
  poller: Poller,
  { every, jitter }: PatternOptions<'polling'>,
  random: LoadContext['random'],
): number {
  const nowMs = performance.now();
  if (poller.answers === 1) poller.dueMs = nowMs + random() * every;
  else poller.dueMs = Math.max(nowMs, poller.dueMs + every * (1 + jitter * (2 * random() - 1)));
  return poller.dueMs - nowMs;
}
