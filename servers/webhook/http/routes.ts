// The HTTP API over the delivery of webhooks: reads requests, answers with what api.ts promises.

import { z } from 'zod';
import { messageOf } from '../../../core/base/errors.ts';
import type { Counters } from '../../../core/result/counters.ts';
import type { ServerLimits } from '../../../core/scenario/scenario.ts';
import type { Handler, Response } from '../../pattern.ts';
import { answerFull, endWith, readBody, RequestError } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';
import {
  deliveryQuery,
  endpointChange,
  endpointQuery,
  eventQuery,
  recoverRange,
  rotation,
  type DeliveryDetail,
  type DeliveryList,
  type EndpointList,
  type EventList,
  type RecoverAnswer,
  type RotationAnswer,
} from '../api.ts';
import { enabledOf, endpointView, newEndpoint, type WebhookEndpoint } from '../endpoints.ts';
import type { Service } from '../service.ts';
import { attemptView, deliveryView, eventView } from './views.ts';

/** A thousand topic names of the longest kind fit twice. */
const maxRegistrationBytes = 256 * 1024;
/** Deliveries that one request recovers: a transaction of a fraction of a second. */
const recoverAtOnce = 10_000;

export function webhookRoutes(
  service: Service,
  limits: Pick<ServerLimits, 'maxSubscribers'>,
  counters: Counters,
): Routes {
  const { endpoints, log, timers } = service;

  function endpointIn(url: URL): WebhookEndpoint {
    const id = segment(url, 2);
    const endpoint = endpoints.get(id);
    if (!endpoint)
      throw new RequestError(
        404,
        'no-webhook',
        `no webhook has the id "${id.slice(0, 40)}"; GET /webhooks lists them`,
      );
    return endpoint;
  }

  async function deliveryIn(url: URL): Promise<{ id: number; detail: DeliveryDetail }> {
    const text = segment(url, 3);
    const id = /^\d{1,15}$/.test(text) ? Number(text) : 0;
    const found = await log.delivery(id);
    if (!found)
      throw new RequestError(
        404,
        'no-delivery',
        `no delivery has the id "${text.slice(0, 40)}"; ` +
          'GET /webhooks/deliveries lists them, those pruned excepted',
      );
    return {
      id,
      detail: { ...deliveryView(found.row), body: found.body, attemptLog: found.attempts.map(attemptView) },
    };
  }

  const view = (endpoint: WebhookEndpoint) => endpointView(endpoint, service.pending(endpoint));
  // It was made or found by the caller.
  const one = async (id: number) => deliveryView((await log.delivery(id))!.row);

  const register: Handler = async (request, response) => {
    const { endpoint, shown } = newEndpoint(
      parseJson(await readBody(request, maxRegistrationBytes), 'a registration'),
      service.rules,
      timers.nowMs(),
    );
    if (endpoints.size >= limits.maxSubscribers) {
      counters.refusals++;
      return answerFull(
        response,
        'too-many-subscribers',
        `${limits.maxSubscribers} endpoints are registered, which is the limit; delete one`,
      );
    }
    await service.add(endpoint);
    counters.registrations++;
    answerJson(response, 201, { id: endpoint.id, ...shown });
  };

  const list: Handler = async (_request, response, url) => {
    await service.refresh();
    const { limit, cursor = 0 } = queryOf(endpointQuery, url);
    // In the order they were registered.
    const after = [...endpoints.values()].slice(cursor, cursor + limit + 1);
    const more = after.length > limit ? { nextCursor: String(cursor + limit) } : {};
    answerJson(response, 200, { webhooks: after.slice(0, limit).map(view), ...more } satisfies EndpointList);
  };

  const change: Handler = async (request, response, url) => {
    const asked = bodyOf(
      endpointChange,
      parseJson(await readBody(request, maxRegistrationBytes), 'a change'),
    );
    const endpoint = endpointIn(url); // as it is now, not as it was before the body had come
    await service.patch(endpoint, asked);
    answerJson(response, 200, view(endpoint));
  };

  return {
    'POST /webhooks': register,
    'GET /webhooks': list,
    'GET /webhooks/*': async (_request, response, url) => {
      await service.refresh();
      answerJson(response, 200, view(endpointIn(url)));
    },
    'PATCH /webhooks/*': change,
    'DELETE /webhooks/*': async (_request, response, url) => {
      await service.remove(endpointIn(url));
      endWith(response, 204, {});
    },
    'POST /webhooks/*/rotate': async (request, response, url) => {
      const asked = bodyOf(rotation, parseJson(await readBody(request, maxRegistrationBytes), 'a rotation'));
      const endpoint = endpointIn(url);
      const nowMs = timers.nowMs();
      const shown = await service.rotate(endpoint, asked);
      answerJson(response, 200, {
        ...shown,
        previousUntil: new Date(nowMs + asked.overlapS * 1000).toISOString(),
      } satisfies RotationAnswer);
    },
    'POST /webhooks/*/test': async (_request, response, url) => {
      const endpoint = endpointIn(url);
      enabledOf(endpoint);
      const id = await service.sendTest(endpoint);
      answerJson(response, 202, await one(id));
    },
    'POST /webhooks/*/recover': async (request, response, url) => {
      const { since, until } = bodyOf(
        recoverRange,
        parseJson(await readBody(request, maxRegistrationBytes), 'a range'),
      );
      const endpoint = endpointIn(url);
      enabledOf(endpoint);
      const untilMs = until === undefined ? timers.nowMs() + 1 : Date.parse(until);
      const recovered = await service.recover(endpoint, Date.parse(since), untilMs, recoverAtOnce);
      answerJson(response, 202, { recovered, more: recovered === recoverAtOnce } satisfies RecoverAnswer);
    },
    'GET /webhooks/events': async (_request, response, url) => {
      const { topic, limit, cursor } = queryOf(eventQuery, url);
      const rows = await log.events({ topic, cursor, limit: limit + 1 });
      answerJson(response, 200, {
        events: rows.slice(0, limit).map(eventView),
        ...nextOf(
          rows.map(({ key }) => key),
          limit,
        ),
      } satisfies EventList);
    },
    'GET /webhooks/deliveries': async (_request, response, url) => {
      const { endpoint: id, limit, ...filter } = queryOf(deliveryQuery, url);
      const endpoint = id === undefined ? undefined : endpoints.get(id);
      const rows =
        id !== undefined && !endpoint
          ? []
          : await log.list({ ...filter, endpoint: endpoint?.stored.key, limit: limit + 1 });
      answerJson(response, 200, {
        deliveries: rows.slice(0, limit).map(deliveryView),
        ...nextOf(
          rows.map((row) => row.id),
          limit,
        ),
      } satisfies DeliveryList);
    },
    'GET /webhooks/deliveries/*': async (_request, response, url) =>
      answerJson(response, 200, (await deliveryIn(url)).detail),
    'POST /webhooks/deliveries/*/replay': async (_request, response, url) => {
      const { id, detail } = await deliveryIn(url);
      const endpoint = endpoints.get(detail.endpoint);
      enabledOf(endpoint);
      if (!(await service.replay(id, endpoint)))
        throw new RequestError(409, 'pending', 'the delivery is pending; it will be tried again by itself');
      answerJson(response, 202, await one(id));
    },
    'GET /webhooks/stats': async (_request, response) => answerJson(response, 200, await service.stats()),
  };
}

function segment(url: URL, index: number): string {
  return url.pathname.split('/')[index] ?? '';
}

/** The cursor of the page behind `limit` rows, of which one more was asked for. */
function nextOf(ids: readonly number[], limit: number): { nextCursor?: string } {
  return ids.length > limit ? { nextCursor: String(ids[limit - 1]) } : {};
}

function queryOf<S extends z.ZodType>(schema: S, url: URL): z.infer<S> {
  return checked(schema, Object.fromEntries(url.searchParams), 400, 'bad-query');
}

function bodyOf<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  return checked(schema, body, 422, 'bad-request');
}

function checked<S extends z.ZodType>(schema: S, value: unknown, status: number, code: string): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RequestError(
    status,
    code,
    parsed.error.issues
      .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
      .join('; '),
  );
}

function parseJson(body: Buffer, what: string): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    // Without the piece of text that it quotes: there may be a secret in it.
    throw new RequestError(
      400,
      'not-json',
      `${what} is a JSON object: ${messageOf(error).replace(/, (?:\.\.\.)?".*$/s, '')}`,
    );
  }
}

function answerJson(response: Response, status: number, body: object): void {
  endWith(response, status, { 'content-type': 'application/json' }, `${JSON.stringify(body)}\n`);
}
