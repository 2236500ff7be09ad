// Streams what happens to deliveries and endpoints (`GET /webhooks/stream`), as Server-Sent Events, over the
// same held responses as the SSE pattern. It has a hub of its own: its messages are not events of the
// server.

import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { newCounters } from '../../../core/result/counters.ts';
import { createHeldResponses } from '../../streams/held-response.ts';
import { createHub } from '../../hub/hub.ts';
import type { PatternContext } from '../../pattern.ts';
import { cursorOf } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';
import type { Service } from '../service.ts';

const heartbeatMs = 15_000;
const statsEveryMs = 1000;
const topic = 'webhooks';
/** Who does not keep up with the deliveries misses some of them, and reads the rest from the list. */
const streamLimits = {
  history: 1000,
  historySize: 4 * 1024 ** 2,
  maxTopics: 1,
  maxSubscribers: 100,
  slowBuffer: 1024 ** 2,
  slow: 'drop',
} as const;

export function webhookStream(
  context: PatternContext,
  service: Service,
): { routes: Routes; close(): Promise<void> } {
  const limits = { ...context.limits, ...streamLimits };
  const hub = createHub(limits);
  // Watching is not what a trial measures.
  const streams = createHeldResponses(
    { ...context, hub, limits, counters: newCounters() },
    { heartbeat: heartbeatMs, gzip: false },
    {
      contentType: 'text/event-stream',
      open: (cursor, reset) =>
        `retry: 1000\nid: ${cursor}\n: open\n\n` +
        (reset ? `event: reset\ndata: {"cursor":"${cursor}"}\n\n` : ''),
      event: ({ id, json }) => `id: ${id}\ndata: ${decodeEnvelope(json).body}\n\n`,
      heartbeat: () => ': keep-alive\n\n',
      end: '',
    },
  );
  let unwatch = (): void => {};
  let statsTimer: NodeJS.Timeout | undefined;

  /** Watches while somebody looks, so that nobody else pays for it. */
  function turnOn(): void {
    if (statsTimer) return;
    unwatch = service.watch((message) => void hub.publish(topic, JSON.stringify(message), {}));
    statsTimer = setInterval(() => {
      if (streams.size() === 0) turnOff();
      else void tellStats();
    }, statsEveryMs);
  }

  async function tellStats(): Promise<void> {
    const stats = await Promise.resolve(service.stats()).catch(() => undefined);
    if (stats && statsTimer) hub.publish(topic, JSON.stringify({ kind: 'stats', stats }), {});
  }

  function turnOff(): void {
    clearInterval(statsTimer);
    statsTimer = undefined;
    unwatch();
  }

  return {
    routes: {
      'GET /webhooks/stream': (request, response, url) => {
        turnOn();
        const { 'last-event-id': last } = request.headers;
        return streams.hold(
          request,
          response,
          [topic],
          typeof last === 'string' && last !== '' ? last : cursorOf(url),
        );
      },
    },
    async close() {
      turnOff();
      await streams.end();
    },
  };
}
