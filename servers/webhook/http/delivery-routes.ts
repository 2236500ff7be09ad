// Answers what the API is asked of events and deliveries: lists, one with its attempts, replay, figures.

import { RequestError } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';
import {
  deliveryQuery,
  eventQuery,
  type DeliveryDetail,
  type DeliveryList,
  type DeliveryView,
  type EventList,
  type TrendAnswer,
} from '../api.ts';
import { enabledOf } from '../endpoints.ts';
import type { Service } from '../service.ts';
import { bucketMs } from '../trend.ts';
import { answerJson, nextOf, queryOf, segment } from './requests-and-answers.ts';
import { attemptView, deliveryView, eventView } from './views.ts';

export function deliveryRoutes(service: Service): Routes {
  const { endpoints, log } = service;

  async function deliveryIn(url: URL): Promise<{ id: number; view: DeliveryView; detail: DeliveryDetail }> {
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
    const view = deliveryView(found.row);
    return { id, view, detail: { ...view, body: found.body, attemptLog: found.attempts.map(attemptView) } };
  }

  return {
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
      const { id, view } = await deliveryIn(url);
      const endpoint = endpoints.get(view.endpoint);
      enabledOf(endpoint);
      if (!(await service.replay(id, endpoint)))
        throw new RequestError(409, 'pending', 'the delivery is pending; it will be tried again by itself');
      const now = (await log.delivery(id))?.row;
      const { settledAt: _, ...accepted } = view;
      // It may be made and forgotten by now.
      answerJson(response, 202, now ? deliveryView(now) : { ...accepted, state: 'pending' });
    },
    'GET /webhooks/trend': (_request, response) =>
      answerJson(response, 200, { bucketMs, buckets: service.trend() } satisfies TrendAnswer),
    'GET /webhooks/stats': async (_request, response) => answerJson(response, 200, await service.stats()),
  };
}
