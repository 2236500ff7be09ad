// Serves Server-Sent Events by the rules of the HTML standard, section 9.2: over HTTP/1.1, or as streams
// of an HTTP/2 connection. A browser's `EventSource` reconnects by itself, and its Last-Event-ID names the
// last event that it has seen.

import { setTimeout as sleep } from 'node:timers/promises';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { drawAdviceMs, type DrainPlan } from '../core/policy/server/drain.ts';
import { returnMs } from '../core/policy/server/goodbye.ts';
import { retryAfterS } from '../core/policy/server/refuse.ts';
import { announcedEvent } from './http/announce.ts';
import { createHeldResponses } from './streams/held-response.ts';
import { corsHeaders } from './http/origin.ts';
import { checkIntake, newIntake } from './http/intake.ts';
import type { PatternServer, Request } from './pattern.ts';
import { curlAsking, publishExample } from './http/examples.ts';
import { cursorOf, endWith, topicsOf } from './http/request.ts';

export const sse: PatternServer<PatternOptions<'sse'>> = {
  start(context, options) {
    const { retry } = options;
    const { counters, random } = context;
    const announced = announcedEvent(context.limits);
    const intake = newIntake();
    let restartPlan: DrainPlan | undefined;
    /** Clients whose stream was ended by the close and that have not come back yet to be told so. */
    let away = 0;
    let allBack = () => {};

    const streams = createHeldResponses(context, options, {
      contentType: 'text/event-stream',
      // The id counts although there is no data with it: a client that is cut off before the first event
      // resumes from here.
      open: (cursor, reset) =>
        `retry: ${retry}\nid: ${cursor}\n: open\n\n` +
        announced +
        (reset ? `event: reset\ndata: {"cursor":"${cursor}"}\n\n` : ''),
      event: ({ id, json }) => `id: ${id}\ndata: ${json.replace(/\r\n|\r|\n/g, '\ndata: ')}\n\n`,
      heartbeat: () => ': keep-alive\n\n',
      end: '',
    });

    /** The goodbye to a client that should come back, with the time to wait. */
    const restart = (plan: DrainPlan) => `retry: ${drawAdviceMs(plan, random) ?? retry}\n\n`;

    return {
      routes: {
        'GET /events': (request, response, url) => {
          const isHead = request.method === 'HEAD';
          if (!isHead) counters.handshakes++;
          const topics = topicsOf(url);
          if (restartPlan) {
            if (!isHead) counters.refusals++;
            endWith(response, 200, refusalHeaders(request), restart(restartPlan));
            // The next attempt is to come on another connection.
            if ('stream' in response) response.stream.session?.close();
            return;
          }
          if (intake.closing) {
            // The one answer that makes an EventSource stay away.
            endWith(response, 204, {
              'cache-control': 'no-store',
              ...corsHeaders(request),
              ...(request.httpVersionMajor === 1 && { connection: 'close' }),
            });
            if (isHead) return;
            away--;
            if (away === 0) allBack();
            return;
          }
          checkIntake(intake);
          // A client that comes back asks for the same URL as at first, so its header is the later word. A
          // value that is not a cursor of ours is answered with a reset; after an error no EventSource would
          // come back.
          const lastEventId = request.headers['last-event-id'];
          return streams.hold(
            request,
            response,
            topics,
            typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : cursorOf(url),
          );
        },
      },
      subscribers: streams.size,
      disconnect: streams.disconnect,
      drain(plan) {
        restartPlan = plan;
        return streams.drain(plan, () => restart(plan));
      },
      setDown(isDown) {
        intake.down = isDown;
        if (isDown) streams.dropAll('event: failure\ndata: {"reason":"dependency-down"}\n\n');
      },
      async close() {
        intake.closing = true;
        if (restartPlan) return void (await streams.end()); // those who come back are not to stay away
        const back = new Promise<void>((resolve) => (allBack = resolve));
        away += await streams.end();
        if (away > 0) await Promise.race([back, sleep(returnMs(retry), undefined, { ref: false })]);
      },
    };
  },

  examples: ({ gzip }) => [
    {
      what: 'follow a topic',
      command: (url, publishUrl) => `${curl(url, publishUrl, gzip)} '${url}/events?topics=news'`,
    },
    publishExample,
    {
      what: 'come back as a browser does, for everything since the server began',
      command: (url, publishUrl, cursor) =>
        `${curl(url, publishUrl, gzip)} -H 'Last-Event-ID: ${cursor}' '${url}/events?topics=news'`,
    },
  ],
};

/**
 * The fields of the answer to a client that arrives while the server is drained: a stream that ends at once,
 * since an `EventSource` stays away for good after any answer but 200. Programs recognise it by these fields.
 */
function refusalHeaders(request: Request): Record<string, string> {
  return {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    ...corsHeaders(request),
    'pushbench-refused': 'draining',
    'retry-after': String(retryAfterS),
    ...(request.httpVersionMajor === 1 && { connection: 'close' }),
  };
}

/** The test certificate of TLS is nobody's, and without TLS a client must know that this is HTTP/2. */
function curl(url: string, publishUrl: string, gzip: boolean): string {
  if (url.startsWith('https:')) return curlAsking('curl -Nk', gzip);
  const asking = curlAsking('curl -N', gzip);
  return url === publishUrl ? asking : `${asking} --http2-prior-knowledge`;
}
