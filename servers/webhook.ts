// Webhooks: the server calls each subscriber at the address it registered. This file is the API to register, and
// what is done with each answer; the queue, the retries and the HTTP client are files of their own beside it.

import { messageOf } from '../core/errors.ts';
import type { PatternOptions } from '../core/patterns.ts';
import { schemes } from '../core/signature.ts';
import type { HubEvent } from './hub.ts';
import type { Handler, PatternServer, Response } from './pattern.ts';
import { answerFull, endWith, readBody, RequestError } from './request.ts';
import { endpointRow, newEndpoint, type WebhookEndpoint } from './webhook/endpoints.ts';
import { createMemoryQueue, type Delivery, type Message, type Outcome } from './webhook/queue.ts';
import { nextWaitMs, parseRetryAfterMs, realTimers, type RetryPolicy, type Timers } from './webhook/retry.ts';
import { createGuard } from './webhook/guard.ts';
import { createSender, type Answer } from './webhook/sender.ts';

/** A thousand topic names of the longest kind fit twice. */
const maxRegistrationBytes = 256 * 1024;
/** How long requests under way may take to finish when the server closes. */
const closeGraceMs = 500;

/** The webhook server on the given clock and timers. */
export function webhookOn(timers: Timers): PatternServer<PatternOptions<'webhook'>> {
  return {
    start({ hub, limits, counters, countConnection, random }, options) {
      const endpoints = new Map<string, WebhookEndpoint>();
      const scheme = schemes[options.scheme];
      const guard = createGuard(options);
      let enabled = 0;
      const retryPolicy: RetryPolicy = { waitsMs: options.retries, jitter: options.jitter };
      const sender = createSender({ counters, countConnection, random, timeoutMs: options.timeout, maxIdle: options.concurrency, guard });
      const queue = createMemoryQueue({ deliver, concurrency: options.concurrency, limits, timers });

      // One message an event, however many endpoints share it.
      let latest: { event: HubEvent; message: Message } | undefined;
      function messageFor(event: HubEvent): Message {
        if (latest?.event !== event) {
          const { id, topic, json } = event;
          latest = { event, message: { id, topic, body: json, bodyBytes: Buffer.byteLength(json) } };
        }
        return latest.message;
      }

      function accept(endpoint: WebhookEndpoint, event: HubEvent): void {
        const dropped = queue.add(endpoint.id, messageFor(event));
        if (dropped !== 'overrun') {
          counters.slowDrops += dropped;
          return;
        }
        counters.slowDisconnects++;
        counters.slowDrops += queue.pending(endpoint.id) + 1;
        disable(endpoint, `more than ${limits.slowBuffer} bytes behind`);
      }

      async function deliver({ endpointId, message, attempt }: Delivery): Promise<Outcome> {
        const endpoint = endpoints.get(endpointId);
        if (!endpoint) return { kind: 'settled' };
        const timestampS = Math.floor(timers.nowMs() / 1000);
        const headers = {
          'content-type': 'application/json',
          'content-length': String(message.bodyBytes),
          ...scheme.sign(endpoint.keys, { id: message.id, topic: message.topic, timestampS, body: message.body }),
          'pushbench-attempt': String(attempt),
        };
        const answer = await sender.post(endpoint.target, headers, message.body, () => {
          counters[attempt === 1 ? 'deliveryRequests' : 'retries']++;
          counters.events++;
        });
        return judge(endpoint, attempt, answer);
      }

      /** 2xx is success and all else is not, redirects among it; 410 says never again (Standard Webhooks 1.0.0). */
      function judge(endpoint: WebhookEndpoint, attempt: number, answer: Answer): Outcome {
        if (answer.kind === 'answered' && answer.status >= 200 && answer.status < 300) {
          endpoint.delivered++;
          return { kind: 'settled' };
        }
        counters.errors++;
        endpoint.lastFailure = answer.kind === 'answered' ? `answered ${answer.status}` : answer.reason;
        if (answer.kind === 'answered' && answer.status === 410) disable(endpoint, 'answered 410 Gone');
        if (endpoint.disabled) return { kind: 'settled' };
        const askedMs = answer.kind === 'answered' ? parseRetryAfterMs(answer.retryAfter ?? '', timers.nowMs()) : undefined;
        const waitMs = nextWaitMs(retryPolicy, attempt, random, askedMs);
        if (waitMs !== undefined) return { kind: 'again', waitMs };
        endpoint.givenUp++;
        return { kind: 'settled' };
      }

      function disable(endpoint: WebhookEndpoint, reason: string): void {
        if (endpoint.disabled) return;
        enabled--;
        endpoint.disabled = reason;
        endpoint.unsubscribe();
        queue.forget(endpoint.id);
      }

      const register: Handler = async (request, response) => {
        const { endpoint, shown } = newEndpoint(parseJson(await readBody(request, maxRegistrationBytes)), { scheme, guard });
        if (endpoints.size >= limits.maxSubscribers) {
          counters.refusals++;
          return answerFull(response, 'too-many-subscribers', `${limits.maxSubscribers} endpoints are registered, which is the limit; delete one`);
        }
        endpoint.unsubscribe = hub.subscribe(endpoint.topics, (event) => accept(endpoint, event));
        endpoints.set(endpoint.id, endpoint);
        enabled++;
        counters.registrations++;
        answerJson(response, 201, { id: endpoint.id, ...shown });
      };

      const list: Handler = (_request, response) => {
        const webhooks = Array.from(endpoints.values(), (endpoint) => endpointRow(endpoint, queue.pending(endpoint.id)));
        answerJson(response, 200, { webhooks });
      };

      const remove: Handler = (_request, response, url) => {
        const id = url.pathname.slice('/webhooks/'.length);
        const endpoint = endpoints.get(id);
        if (!endpoint) throw new RequestError(404, 'no-webhook', `no webhook has the id "${id.slice(0, 40)}"; GET /webhooks lists them`);
        disable(endpoint, 'deleted');
        endpoints.delete(id);
        endWith(response, 204, {});
      };

      return {
        routes: { 'POST /webhooks': register, 'GET /webhooks': list, 'DELETE /webhooks/*': remove },
        subscribers: () => enabled,
        disconnect: (share) => sender.cut(share),
        async close() {
          for (const endpoint of endpoints.values()) endpoint.unsubscribe();
          const quiet = queue.close();
          const grace = Promise.withResolvers<void>();
          const timer = setTimeout(grace.resolve, closeGraceMs);
          await Promise.race([quiet, grace.promise]);
          clearTimeout(timer);
          await sender.close();
          await quiet;
        },
      };
    },
    examples: [
      {
        what: 'register an endpoint that you run on port 9000; the answer holds its secret, this once',
        command: (url) => `curl -d '{"url":"http://127.0.0.1:9000/hook","events":["news"]}' ${url}/webhooks`,
      },
      { what: 'see the endpoints and how their deliveries go', command: (url) => `curl ${url}/webhooks` },
      { what: 'remove one by its id', command: (url) => `curl -X DELETE ${url}/webhooks/ep_...` },
    ],
  };
}

export const webhook = webhookOn(realTimers);

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new RequestError(400, 'not-json', `a registration is a JSON object: ${messageOf(error)}`);
  }
}

function answerJson(response: Response, status: number, body: object): void {
  endWith(response, status, { 'content-type': 'application/json' }, `${JSON.stringify(body)}\n`);
}
