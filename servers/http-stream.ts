// HTTP streaming: one response of newline-delimited JSON that does not end. Every line is an event, or tells of
// the stream itself: opened (with the cursor that resumes from here), heartbeat, end.

import type { PatternOptions } from '../core/patterns.ts';
import { createEventStreams } from './event-stream.ts';
import type { PatternServer } from './pattern.ts';
import { publishExample } from './publish.ts';
import { cursorOf, RequestError, topicsOf } from './request.ts';

export const httpStream: PatternServer<PatternOptions<'http-stream'>> = {
  start(context, { heartbeat }) {
    const { hub } = context;
    let closed = false;
    const streams = createEventStreams(context, heartbeat, {
      headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' },
      event: ({ json }) => `${json}\n`,
      heartbeat: () => lineOf({ stream: 'heartbeat', cursor: hub.cursor() }),
      farewell: lineOf({ stream: 'end' }),
    });

    return {
      routes: {
        'GET /stream': (request, response, url) => {
          const topics = topicsOf(url);
          const since = cursorOf(url);
          if (closed) throw new RequestError(503, 'closing', 'the server is closing');
          streams.open(request, response, topics, since, (cursor, reset) => lineOf({ stream: 'open', cursor, ...(reset ? { reset } : {}) }));
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
    { what: 'read the stream, a line of JSON for each event', command: (url) => `curl -N '${url}/stream?topics=news'` },
    publishExample,
    { what: 'come back and get what was missed (put in the last id you saw)', command: (url) => `curl -N '${url}/stream?topics=news&since=ID'` },
  ],
};

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
