// Serves what every pattern's server has in addition: publishing an event, and the list of endpoints.

import { isUtf8 } from 'node:buffer';
import type { Counters } from '../../core/result/counters.ts';
import type { ServerLimits } from '../../core/scenario/scenario.ts';
import type { Stamps } from '../hub/event.ts';
import type { Hub } from '../hub/hub.ts';
import { readStamps } from '../hub/stamps.ts';
import { idempotencyKeyOf, withKeys } from './idempotency.ts';
import type { Handler, Publish, Request } from '../pattern.ts';
import { checkTopic, endWith, readBody, RequestError } from './request.ts';
import type { Routes } from './router.ts';

/**
 * `POST /topics/{topic}`: publishes the body. Answered 201, 400 (topic, number, key or UTF-8), 413, 422 (the
 * key stands for another event), 503 (too many topics, or the pattern's store did not take the event: then
 * there is no such event).
 * @param store publishes in the place of the hub, for a pattern that has to store events first
 * @param keyed publishes events with an Idempotency-Key; one for all routes, which share the known keys
 * Requests pipelined on one connection are taken in order: their bodies end in order.
 */
export function publishRoutes(
  hub: Hub,
  limits: Pick<ServerLimits, 'maxBody'>,
  store?: Publish,
  keyed = keyedOf(hub, store),
): Routes {
  return { 'POST /topics/*': publisher('/topics/', hub, limits, store, keyed) };
}

/**
 * `POST /messages/{topic}`: a subscriber's own message, published like any other event. Clients of the
 * pattern send it, so it counts among their requests; the publisher's requests do not.
 */
export function messageRoutes(
  hub: Hub,
  limits: Pick<ServerLimits, 'maxBody'>,
  counters: Counters,
  store?: Publish,
  keyed = keyedOf(hub, store),
): Routes {
  const publish = publisher('/messages/', hub, limits, store, keyed);
  return {
    'POST /messages/*': (request, response, url) => {
      counters.messageRequests++;
      return publish(request, response, url);
    },
  };
}

/** Publishing in the hub, or the store in its place, that remembers the keys of events. */
export function keyedOf(hub: Hub, store: Publish | undefined): Publish {
  return withKeys(
    store ??
      (async (topic, body, stamps, options) => {
        // Without its body: a key is remembered for longer than an event.
        const { id, seq } = await hub.publish(topic, body, stamps, options);
        return { id, seq };
      }),
  );
}

function publisher(
  path: string,
  hub: Hub,
  limits: Pick<ServerLimits, 'maxBody'>,
  store: Publish | undefined,
  keyed: Publish,
): Handler {
  const publish = store ?? hub.publish;
  return async (request, response, url) => {
    const body = await readBody(request, limits.maxBody);
    const topic = decodePath(url.pathname.slice(path.length));
    checkTopic(topic);
    if (!isUtf8(body)) throw new RequestError(400, 'bad-utf8', 'the body is not UTF-8; events are text');
    const text = body.toString('utf8');
    const stamps = stampsOf(request);
    const key = idempotencyKeyOf(request.headers['idempotency-key']);
    const published = key !== undefined ? keyed(topic, text, stamps, { key }) : publish(topic, text, stamps);
    // Without a key, a store and other servers the event is there already: promises cost where thousands come
    // in a second.
    const { id, seq } = published instanceof Promise ? await published : published;
    const answer = `{"id":"${id}","seq":${seq}}`;
    endWith(
      response,
      201,
      { 'content-type': 'application/json', 'content-length': String(answer.length) },
      answer,
    );
  };
}

/** `GET /`: the pattern's name and everything that can be asked for. */
export function indexRoute(pattern: string, counters: Counters, publishing: Routes, routes: Routes): Routes {
  const answer =
    JSON.stringify({ pattern, endpoints: ['GET /', ...Object.keys(publishing), ...Object.keys(routes)] }) +
    '\n';
  return {
    'GET /': (_request, response) => {
      counters.pageRequests++;
      endWith(
        response,
        200,
        { 'content-type': 'application/json', 'content-length': String(answer.length) },
        answer,
      );
    },
  };
}

function decodePath(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // with its percent sign it is not a topic name
  }
}

function stampsOf(request: Request): Stamps {
  const stamps = readStamps((name) => {
    const text = request.headers[`pushbench-${name}`];
    if (text === undefined) return undefined;
    return typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  });
  if (!('wrong' in stamps)) return stamps;
  const { wrong, why } = stamps;
  const name = `pushbench-${wrong}`;
  throw new RequestError(400, 'bad-number', `${name}: ${String(request.headers[name]).slice(0, 40)} ${why}`);
}
