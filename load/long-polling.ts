// Runs long-polling subscribers: each always has a request under way, which the server holds until there is
// an event or the hold is over, and asks again from the new cursor at once.

import type { PatternOptions } from '../core/pattern/registry.ts';
import { longPollAgainMs, longPollAnswerWithinMs } from '../core/policy/client/poll-times.ts';
import { cookieHeader } from './wire/cookies.ts';
import { heardMs } from '../core/policy/client/reconnect.ts';
import { gzipAccepted } from './wire/gunzip.ts';
import { encodeRequest, pathBelow } from './wire/http-head.ts';
import type { PatternLoad, RunningLoad } from './pattern.ts';
import { startPollers } from './subscribers/cursor-polls.ts';

export const longPolling: PatternLoad<PatternOptions<'long-polling'>> = {
  start(context, { hold, gzip, connection }): RunningLoad {
    const holdMs = Math.round(hold);

    return startPollers(context, {
      request({ topics, fields, cursor, cookies }, url) {
        const since = cursor === '' ? '' : `&since=${cursor}`;
        return encodeRequest(url, `${pathBelow(url, '/long-poll')}?topics=${topics}${since}&hold=${holdMs}`, {
          ...gzipAccepted(gzip),
          ...fields,
          ...cookieHeader(cookies),
          connection,
        });
      },
      answered({ answers, state }) {
        if (answers > 1) context.counters.rearms++;
        return Math.max(longPollAgainMs, heardMs(context.reconnect, state.waitMs));
      },
      answerWithinMs: longPollAnswerWithinMs(holdMs),
      finishes: false,
      keepsAlive: connection === 'keep-alive',
    });
  },
};
