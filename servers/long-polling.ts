// Long polling: the client asks, and the server holds the request until there is an event or the hold is
// over. Nothing is lost between two requests, since each says in its cursor where the last answer ended.
//
// A subscriber that is slow to come back falls behind in the history, not in buffered bytes: an answer ends
// with the event that reaches `slowBuffer` bytes, or `answerEndsAtBytes` if that is less, and the next
// request goes on behind it.

import { answerEndsAtBytes } from '../core/event/body-size.ts';
import type { PatternOptions } from '../core/pattern/registry.ts';
import type { HubEvent } from './hub/hub.ts';
import type { PatternServer, Response } from './pattern.ts';
import { createAnswers, encodeAnswer } from './http/poll-answer.ts';
import { takeUntil } from './hub/replay.ts';
import { publishExample } from './http/publish.ts';
import { answerFull, cursorOf, drawShare, endWith, RequestError, topicsOf } from './http/request.ts';

/** One request that waits for its answer. */
type Held = {
  readonly response: Response;
  /** Whether its answer is compressed. */
  readonly compressed: boolean;
  readonly events: HubEvent[];
  bytes: number;
  /** Ends the hold; once there is an event, the batch. */
  timer: NodeJS.Timeout | undefined;
  unsubscribe: () => void;
};

export const longPolling: PatternServer<PatternOptions<'long-polling'>> = {
  start({ hub, limits, counters, random }, options) {
    const held = new Set<Held>();
    const answers = createAnswers(options.gzip);
    const enoughBytes = Math.min(limits.slowBuffer, answerEndsAtBytes);
    let closing = false;

    function headers(): Record<string, string> {
      const close = closing || options.connection === 'close';
      return { 'cache-control': 'no-store', ...(close ? { connection: 'close' } : {}) };
    }

    function answer(
      { response, compressed }: Pick<Held, 'response' | 'compressed'>,
      cursor: string,
      reset: boolean,
      events: readonly HubEvent[],
    ): void {
      const body = encodeAnswer(cursor, reset, events);
      counters[events.length > 0 ? 'fullPolls' : 'emptyPolls']++;
      counters.events += events.length;
      if (reset) counters.resets++;
      answers.send(response, compressed, headers(), body);
    }

    function hold(
      { response, compressed }: Pick<Held, 'response' | 'compressed'>,
      topics: readonly string[],
      holdMs: number,
      events: HubEvent[],
    ): void {
      if (held.size >= limits.maxSubscribers) {
        counters.refusals++;
        return answerFull(
          response,
          'too-many-subscribers',
          `${limits.maxSubscribers} requests are held, which is the limit`,
        );
      }
      const request: Held = {
        response,
        compressed,
        events,
        bytes: bytesOf(events),
        timer: undefined,
        unsubscribe() {},
      };
      request.unsubscribe = hub.subscribe(topics, collect, request);
      request.timer = setTimeout(() => finish(request), events.length > 0 ? options.batch : holdMs);
      held.add(request);
      response.once('close', () => release(request)); // the client may go before there is an answer
    }

    function release(request: Held): void {
      held.delete(request);
      clearTimeout(request.timer);
      request.unsubscribe();
    }

    function collect(event: HubEvent, request: Held): void {
      request.events.push(event);
      request.bytes += Buffer.byteLength(event.json);
      if (options.batch === 0 || request.bytes >= enoughBytes) return finish(request);
      if (request.events.length > 1) return;
      clearTimeout(request.timer);
      request.timer = setTimeout(() => finish(request), options.batch);
    }

    function finish(request: Held): void {
      release(request);
      const { response, events } = request;
      if (events.length > 0) return answer(request, hub.cursor(), false, events);
      counters.emptyPolls++;
      endWith(response, 204, { ...headers(), 'pushbench-cursor': hub.cursor() });
    }

    return {
      routes: {
        'GET /long-poll': (request, response, url) => {
          const topics = topicsOf(url);
          const since = cursorOf(url);
          const holdMs = Math.min(holdOf(url) ?? options.hold, options.hold);
          if (closing) throw new RequestError(503, 'closing', 'the server is closing');
          const asked = { response, compressed: answers.compresses(request) };
          if (since === undefined) return answer(asked, hub.cursor(), false, []);
          const { events, lost } = hub.since(topics, since);
          const taken = takeUntil(events, enoughBytes);
          if (taken.length < events.length) return answer(asked, taken.at(-1)!.id, lost, taken);
          const enough = events.length > 0 && (options.batch === 0 || bytesOf(events) >= enoughBytes);
          if (lost || enough) return answer(asked, hub.cursor(), lost, events);
          hold(asked, topics, holdMs, events);
        },
      },
      subscribers: () => held.size,
      disconnect(share) {
        for (const { response } of drawShare(held, share, random)) response.destroy();
      },
      async close() {
        closing = true;
        await Promise.all(
          Array.from(held, (request) => {
            const answered = new Promise((resolve) => request.response.once('close', resolve));
            finish(request);
            return answered;
          }),
        );
      },
    };
  },

  examples: [
    {
      what: 'where to begin: answered at once with a cursor',
      command: (url) => `curl -i '${url}/long-poll?topics=news'`,
    },
    {
      what: 'wait for what comes after it (put in the cursor you got)',
      command: (url) => `curl -i '${url}/long-poll?topics=news&since=CURSOR'`,
    },
    publishExample,
    {
      what: 'wait for two seconds at the most',
      command: (url) => `curl -i '${url}/long-poll?topics=news&since=CURSOR&hold=2000'`,
    },
  ],
};

function bytesOf(events: readonly HubEvent[]): number {
  return events.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
}

function holdOf(url: URL): number | undefined {
  const text = url.searchParams.get('hold');
  if (text === null) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new RequestError(
      400,
      'bad-hold',
      `hold=${text.slice(0, 40)} is not a whole number of milliseconds`,
    );
  return Number(text);
}
