// Server-Sent Events by the WHATWG HTML standard (section 9.2): one text/event-stream response that does not
// end, over HTTP/1.1 or as a stream of an HTTP/2 connection; resume by Last-Event-ID.

import type { PatternOptions } from '../core/patterns.ts';
import { cursorPattern } from '../core/envelope.ts';
import { createEventStreams } from './event-stream.ts';
import type { PatternServer, Request } from './pattern.ts';
import { publishExample } from './publish.ts';
import { cursorOf, endWith, topicsOf } from './request.ts';

export const sse: PatternServer<PatternOptions<'sse'>> = {
  start(context, { heartbeat, retry }) {
    let closed = false;
    const streams = createEventStreams(context, heartbeat, {
      headers: {
        'content-type': 'text/event-stream',
        // No cache may keep it and no proxy transform or buffer it; nginx wants its own word for the latter.
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
        // A page served from elsewhere on this host may read it: events hold nothing secret, credentials are not allowed.
        'access-control-allow-origin': '*',
      },
      // An envelope is one line, so one data field carries it.
      event: ({ id, json }) => `id: ${id}\ndata: ${json}\n\n`,
      heartbeat: () => ': keep-alive\n\n',
      farewell: '',
    });

    return {
      routes: {
        'GET /events': (request, response, url) => {
          const topics = topicsOf(url);
          // 204 is the one answer after which a browser does not come back.
          if (closed) return endWith(response, 204, {});
          const since = lastEventId(request) ?? cursorOf(url);
          streams.open(request, response, topics, since, (cursor, reset) => {
            const lost = reset ? `event: reset\ndata: ${JSON.stringify({ cursor })}\n\n` : '';
            // With an id from the start, a client that is cut off before its first event resumes from here.
            return `retry: ${retry}\nid: ${cursor}\n: open\n\n${lost}`;
          });
        },
      },
      subscribers: streams.subscribers,
      disconnect: streams.disconnect,
      close() {
        closed = true;
        return streams.close();
      },
    };
  },

  examples: [
    { what: 'read the stream', command: (url) => `curl -N '${url}/events?topics=news'` },
    publishExample,
    { what: 'come back and get what was missed (put in the last id you saw)', command: (url) => `curl -N -H 'Last-Event-ID: ID' '${url}/events?topics=news'` },
  ],
};

/** A header that is no cursor came from another server's stream: what it asks for is lost, and the hub says so. */
function lastEventId(request: Request): string | undefined {
  const header = request.headers['last-event-id'];
  const id = Array.isArray(header) ? header[0] : header;
  if (id === undefined || id === '') return undefined;
  return cursorPattern.test(id) ? id : 'none-0';
}
