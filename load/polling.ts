// Runs polling subscribers: each asks on a schedule of its own (core/policy/client/poll-times.ts)
// whether there is anything new.

import type { PatternOptions } from '../core/pattern/registry.ts';
import { nextPollDueMs, pollAnswerWithinMs } from '../core/policy/client/poll-times.ts';
import { cookieHeader } from './wire/cookies.ts';
import { gzipAccepted } from './wire/gunzip.ts';
import { encodeRequest, pathBelow } from './wire/http-head.ts';
import type { PatternLoad, RunningLoad } from './pattern.ts';
import { startPollers } from './subscribers/cursor-polls.ts';

export const polling: PatternLoad<PatternOptions<'polling'>> = {
  start(context, options): RunningLoad {
    const { connection, conditional } = options;
    const accepted = gzipAccepted(options.gzip);

    return startPollers(context, {
      request({ topics, fields, cursor, etag, cookies }, url) {
        const since = cursor === '' ? '' : `&since=${cursor}`;
        const condition = conditional && etag !== '' ? { 'if-none-match': etag } : {};
        return encodeRequest(url, `${pathBelow(url, '/poll')}?topics=${topics}${since}`, {
          ...condition,
          ...accepted,
          ...cookieHeader(cookies),
          ...fields,
          connection,
        });
      },
      answered(poller) {
        const nowMs = performance.now();
        poller.dueMs = nextPollDueMs(poller.dueMs, nowMs, options, context.random);
        return poller.dueMs - nowMs;
      },
      answerWithinMs: pollAnswerWithinMs,
      timed: true,
      finishes: true,
      keepsAlive: connection === 'keep-alive',
    });
  },
};
