// Answers what the API is asked of endpoints: register, list, change, remove, rotate, test, recover.

import type { Counters } from '../../../core/result/counters.ts';
import type { ServerLimits } from '../../../core/scenario/scenario.ts';
import { answerFull, endWith, RequestError } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';
import type { Handler } from '../../pattern.ts';
import {
  endpointChange,
  endpointQuery,
  recoverRange,
  rotation,
  type EndpointList,
  type RecoverAnswer,
  type RotationAnswer,
} from '../api.ts';
import { enabledOf, endpointView, newEndpoint, type WebhookEndpoint } from '../endpoints.ts';
import type { Service } from '../service.ts';
import { answerJson, bodyOf, queryOf, readJson, segment } from './requests-and-answers.ts';
import { deliveryView } from './views.ts';

/** Deliveries that one request recovers: a transaction of a fraction of a second. */
const recoverAtOnce = 10_000;

export function endpointRoutes(
  service: Service,
  limits: Pick<ServerLimits, 'maxSubscribers'>,
  counters: Counters,
): Routes {
  const { endpoints, timers } = service;
  const endpointIn = (url: URL) => endpointOf(service, url);
  const view = (endpoint: WebhookEndpoint) => endpointView(endpoint, service.pending(endpoint));
  const register: Handler = async (request, response) => {
    const { endpoint, shown } = newEndpoint(
      await readJson(request, 'a registration'),
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
    const asked = bodyOf(endpointChange, await readJson(request, 'a change'));
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
      const asked = bodyOf(rotation, await readJson(request, 'a rotation'));
      const endpoint = endpointIn(url);
      const nowMs = timers.nowMs();
      const shown = await service.rotate(endpoint, asked);
      answerJson(response, 200, {
        ...shown,
        previousUntil: new Date(nowMs + asked.overlapS * 1000).toISOString(),
      } satisfies RotationAnswer);
    },
    ...sendingRoutes(service),
  };
}

/** Of a test event, and of what an endpoint has missed. */
function sendingRoutes(service: Service): Routes {
  const { timers } = service;
  const endpointIn = (url: URL) => endpointOf(service, url);
  return {
    'POST /webhooks/*/test': async (_request, response, url) => {
      const endpoint = endpointIn(url);
      enabledOf(endpoint);
      answerJson(response, 202, deliveryView(await service.sendTest(endpoint)));
    },
    'POST /webhooks/*/recover': async (request, response, url) => {
      const { since, until } = bodyOf(recoverRange, await readJson(request, 'a range'));
      const endpoint = endpointIn(url);
      enabledOf(endpoint);
      const untilMs = until === undefined ? timers.nowMs() + 1 : Date.parse(until);
      const recovered = await service.recover(endpoint, Date.parse(since), untilMs, recoverAtOnce);
      answerJson(response, 202, { recovered, more: recovered === recoverAtOnce } satisfies RecoverAnswer);
    },
  };
}

/** @throws RequestError 404 */
function endpointOf({ endpoints }: Service, url: URL): WebhookEndpoint {
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
