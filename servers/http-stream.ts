// Serves HTTP streaming: one response that does not end, a line of JSON for each event (NDJSON). The cursor
// to resume from is in the first line, in each event and in each heartbeat.

import type { PatternOptions } from '../core/pattern/registry.ts';
import { drawAdviceMs } from '../core/policy/server/drain.ts';
import { announcedMember } from './http/announce.ts';
import { createHeldResponses } from './streams/held-response.ts';
import type { PatternServer } from './pattern.ts';
import { curlAsking, publishExample } from './http/examples.ts';
import { checkIntake, newIntake } from './http/intake.ts';
import { cursorOf, topicsOf } from './http/request.ts';

export const httpStream: PatternServer<PatternOptions<'http-stream'>> = {
  start(context, options) {
    const { counters, random } = context;
    const announced = announcedMember(context.limits);
    const intake = newIntake();
    const streams = createHeldResponses(context, options, {
      contentType: 'application/x-ndjson',
      open: (cursor, reset) =>
        `{"stream":"open","cursor":"${cursor}"${reset ? ',"reset":true' : ''}${announced}}\n`,
      event: ({ json }) => `${json}\n`,
      heartbeat: (cursor) => `{"stream":"heartbeat","cursor":"${cursor}"}\n`,
      end: '{"stream":"end"}\n',
    });

    return {
      routes: {
        'GET /stream': (request, response, url) => {
          if (request.method !== 'HEAD') counters.handshakes++;
          checkIntake(intake);
          return streams.hold(request, response, topicsOf(url), cursorOf(url));
        },
      },
      subscribers: streams.size,
      disconnect: streams.disconnect,
      drain(plan) {
        intake.draining = true;
        return streams.drain(plan, () => restartLine(drawAdviceMs(plan, random)));
      },
      setDown(isDown) {
        intake.down = isDown;
        if (isDown) streams.dropAll('{"stream":"failure","reason":"dependency-down"}\n');
      },
      async close() {
        intake.closing = true;
        await streams.end();
      },
    };
  },

  examples: ({ gzip }) => [
    {
      what: 'follow a topic: a line for each event',
      command: (url) => `${curlAsking('curl -N', gzip)} '${url}/stream?topics=news'`,
    },
    publishExample,
    {
      what: 'follow two, and get first everything since the server began',
      command: (url, _publishUrl, cursor) =>
        `${curlAsking('curl -N', gzip)} '${url}/stream?topics=news,sport&since=${cursor}'`,
    },
  ],
};

/** The last line of a stream whose client is to come back. */
function restartLine(waitMs: number | undefined): string {
  return `{"stream":"end","comeBack":true${waitMs === undefined ? '' : `,"waitMs":${waitMs}`}}\n`;
}
