// Serves polling: the client asks on a schedule, and every request is answered at once. The server remembers
// nothing about a client: the cursor in each request says what the client has seen.
//
// A poller cannot fall behind in buffered bytes, so the policy for slow subscribers does not apply: events
// that it has not fetched wait in the history, an answer ends with the event that reaches `slowBuffer` bytes
// (or `answerEndsAtBytes`), and the next poll gets the events after it.

import { drawShare } from '../core/base/random.ts';
import { answerEndsAtBytes } from '../core/event/body-size.ts';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { takeUntil } from '../core/policy/server/history-pieces.ts';
import type { PatternServer, Request } from './pattern.ts';
import { announcedHeaders } from './http/announce.ts';
import { createAnswers, encodeAnswer } from './http/poll-answer.ts';
import { checkIntake, newIntake } from './http/intake.ts';
import { createPollConnections } from './http/poll-connections.ts';
import { curlAsking, publishExample } from './http/examples.ts';
import { answerFull, cursorOf, endWith, topicsOf } from './http/request.ts';

export const polling: PatternServer<PatternOptions<'polling'>> = {
  start({ hub, limits, counters, random }, options) {
    const connections = createPollConnections();
    const intake = newIntake();
    const recent = countRecent(options.every);
    const answers = createAnswers(options.gzip);
    const announced = announcedHeaders(limits);
    const enoughBytes = Math.min(limits.slowBuffer, answerEndsAtBytes);

    /** @returns false when there are as many connections as may be */
    function admit(request: Request): boolean {
      if (connections.has(request)) return true;
      if (connections.sockets.size >= limits.maxSubscribers) return false;
      connections.add(request);
      return true;
    }

    /** What all answers to this request say. */
    function fieldsFor(request: Request): Record<string, string> {
      const isDue = connections.isDue(request);
      if (isDue) connections.told(request);
      return { ...announced, ...((isDue || options.connection === 'close') && { connection: 'close' }) };
    }

    return {
      routes: {
        'GET /poll': (request, response, url) => {
          const topics = topicsOf(url);
          const since = cursorOf(url);
          const isPoll = request.method !== 'HEAD'; // who asks for the head alone gets no events
          // Those who were here before are told in their turn, by a whole answer.
          checkIntake({ ...intake, draining: intake.draining && !connections.has(request) });
          if (isPoll && !admit(request)) {
            counters.refusals++;
            return answerFull(
              response,
              'too-many-subscribers',
              `${limits.maxSubscribers} connections are polling, which is the limit`,
            );
          }
          if (isPoll) recent.add();
          const fields = fieldsFor(request);
          const newest = hub.newest(topics);
          const compressed = answers.compresses(request);
          // The same events in other bytes: a weak tag says as much (RFC 9110, section 8.8.3.3).
          const etagOf = (cursor: string) => (compressed ? `W/"${cursor}"` : `"${cursor}"`);
          if (matches(request.headers['if-none-match'], newest)) {
            if (isPoll) counters.emptyPolls++;
            return endWith(response, 304, {
              etag: etagOf(newest),
              'cache-control': 'no-cache',
              ...answers.vary,
              ...fields,
            });
          }
          const { events, lost } =
            since === undefined ? { events: [], lost: false } : hub.since(topics, since);
          const taken = takeUntil(events, enoughBytes);
          const whole = taken.length === events.length;
          // An answer in part must not match the next poll, which comes for the rest.
          const tag = whole ? newest : taken.at(-1)!.id;
          const cursor = whole ? hub.cursor(since) : tag;
          const body = encodeAnswer(cursor, lost, taken);
          if (isPoll) {
            counters[taken.length > 0 ? 'fullPolls' : 'emptyPolls']++;
            counters.events += taken.length;
            if (lost) counters.resets++;
          }
          answers.send(
            response,
            compressed,
            { etag: etagOf(tag), 'cache-control': 'no-cache', ...fields },
            body,
          );
        },
      },
      waits: connections.waits,
      // Pollers have no names. A connection that is kept alive is one of them; without,
      // each polls once in `every`.
      subscribers: options.connection === 'keep-alive' ? () => connections.sockets.size : recent.count,
      disconnect(share) {
        for (const socket of drawShare(connections.sockets, share, random)) socket.destroy();
      },
      drain(plan) {
        intake.draining = true;
        return connections.drain(plan);
      },
      setDown: (isDown) => void (intake.down = isDown),
      async close() {}, // nothing is held: every request has been answered
    };
  },

  examples: ({ gzip }) => [
    {
      what: 'poll: an empty answer with the cursor to go on from',
      command: (url) => `${curlAsking('curl -i', gzip)} '${url}/poll?topics=news'`,
    },
    publishExample,
    {
      what: 'what came since the server began; other cursors are in answers',
      command: (url, _publishUrl, cursor) =>
        `${curlAsking('curl -i', gzip)} '${url}/poll?topics=news&since=${cursor}'`,
    },
    {
      what: 'the same with the ETag of the beginning: 304 without a body until something is published',
      command: (url, _publishUrl, cursor) =>
        `${curlAsking('curl -i', gzip)} -H 'If-None-Match: "${cursor}"' ` +
        `'${url}/poll?topics=news&since=${cursor}'`,
    },
  ],
};

/** RFC 9110, section 13.1.2: a list of tags, compared weakly. */
function matches(header: string | undefined, tag: string): boolean {
  return (
    header !== undefined && header.split(',').some((part) => part.trim().replace(/^W\//, '') === `"${tag}"`)
  );
}

/** How many polls came in the last whole stretch of `everyMs`. */
function countRecent(everyMs: number): { add(): void; count(): number } {
  let stretch = 0;
  let current = 0;
  let previous = 0;
  const turn = () => {
    const now = Math.floor(performance.now() / Math.max(1, everyMs));
    if (now !== stretch) {
      previous = now === stretch + 1 ? current : 0;
      current = 0;
      stretch = now;
    }
  };
  return {
    add() {
      turn();
      current++;
    },
    count() {
      turn();
      return previous;
    },
  };
}
