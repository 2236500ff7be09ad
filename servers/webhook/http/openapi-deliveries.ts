// Describes the operations on events and deliveries for the OpenAPI document: publishing, the lists, replay,
// the stream.

import { deliveryStates } from '../api.ts';
import {
  access,
  answer,
  badQuery,
  cursor,
  gate,
  id,
  json,
  limit,
  notThere,
  query,
  ref,
  refusals,
  unread,
  untaken,
  type Json,
} from './openapi-parts.ts';

/** Publishing and a subscriber's message are taken and answered alike; every pattern has them. */
const publishing = (operationId: string, summary: string, description: string): Json => ({
  post: {
    operationId,
    tags: ['events'],
    summary,
    description,
    parameters: [
      {
        name: 'topic',
        in: 'path',
        required: true,
        schema: { type: 'string', pattern: '^[A-Za-z0-9._:~-]{1,128}$' },
      },
      ...['planned', 'sent', 'crc', 'seq'].map((name) => ({
        name: `pushbench-${name}`,
        in: 'header',
        required: false,
        description: `\`${name}\` of the event`,
        schema: { type: 'integer', minimum: name === 'seq' ? 1 : 0 },
      })),
      {
        name: 'Idempotency-Key',
        in: 'header',
        required: false,
        description:
          "the publisher's name for the event: a repeat with the same key, topic and body is the same " +
          'event and gets the same answer',
        schema: { type: 'string', minLength: 1, maxLength: 512 },
      },
    ],
    requestBody: {
      required: true,
      description: 'any text in UTF-8',
      content: { 'application/json': { schema: {} }, 'text/plain': { schema: { type: 'string' } } },
    },
    responses: {
      201: json(
        {
          type: 'object',
          required: ['id', 'seq'],
          properties: { id: { type: 'string' }, seq: { type: 'integer', minimum: 1 } },
          additionalProperties: false,
        },
        'it is stored',
      ),
      ...refusals({
        400: 'the topic, a number, the key or the encoding is wrong',
        413: 'the body is too large',
        422: 'the key stands for another event',
        503:
          'there are too many topics, or the store did not take it: then there is no such event. With ' +
          '`error: unknown` it may be there or not: repeat it with the same Idempotency-Key',
        ...gate,
      }),
    },
    security: [],
  },
});

export const publishPaths: Readonly<Record<string, Json>> = {
  '/topics/{topic}': publishing(
    'publish',
    'Publish an event',
    'Answered when the event and its deliveries are stored, before any is sent.',
  ),
  '/messages/{topic}': publishing(
    'sendMessage',
    "Send a subscriber's message",
    "Published like an event; counted as a subscriber's.",
  ),
};

export const deliveryPaths: Readonly<Record<string, Json>> = {
  '/webhooks/events': {
    get: {
      operationId: 'listEvents',
      tags: ['events'],
      summary: 'List the events, newest first',
      parameters: [query('topic', 'only of this topic', { type: 'string' }), limit(50), cursor],
      responses: {
        200: answer('EventList', 'a page of them'),
        ...refusals({ ...badQuery, ...unread, ...access }),
      },
    },
  },
  '/webhooks/deliveries': {
    get: {
      operationId: 'listDeliveries',
      tags: ['deliveries'],
      summary: 'List the deliveries, newest first',
      parameters: [
        query('endpoint', 'only to this endpoint', { type: 'string', maxLength: 64 }),
        query('state', 'only in this state', { type: 'string', enum: deliveryStates }),
        query('event', 'only of this event', { type: 'string', maxLength: 64 }),
        limit(50),
        cursor,
      ],
      responses: {
        200: answer('DeliveryList', 'a page of them'),
        ...refusals({ ...badQuery, ...unread, ...access }),
      },
    },
  },
  '/webhooks/deliveries/{id}': {
    parameters: [id('delivery')],
    get: {
      operationId: 'getDelivery',
      tags: ['deliveries'],
      summary: 'Look at a delivery, its body and its attempts',
      responses: {
        200: answer('DeliveryDetail', 'as it is now'),
        ...refusals({ ...notThere, ...unread, ...access }),
      },
    },
  },
  '/webhooks/deliveries/{id}/replay': {
    parameters: [id('delivery')],
    post: {
      operationId: 'replay',
      tags: ['deliveries'],
      summary: 'Send it again, with as many attempts as a new one',
      responses: {
        202: answer('Delivery', 'it is pending again'),
        ...refusals({
          ...notThere,
          409: 'it is pending, or its endpoint is disabled or gone',
          ...untaken,
          ...access,
        }),
      },
    },
  },
  '/webhooks/stats': {
    get: {
      operationId: 'stats',
      tags: ['deliveries'],
      summary: 'The backlog of deliveries',
      responses: { 200: answer('Stats', 'as it is now'), ...refusals({ ...unread, ...access }) },
    },
  },
  '/webhooks/trend': {
    get: {
      operationId: 'trend',
      tags: ['deliveries'],
      summary: 'Attempts of the last hour, minute by minute',
      description: 'Only of this server since its start, not of others on the same store.',
      responses: { 200: answer('Trend', 'as it is now'), ...refusals(access) },
    },
  },
  '/webhooks/stream': {
    get: {
      operationId: 'stream',
      tags: ['deliveries'],
      summary: 'Follow changes, as Server-Sent Events',
      description:
        "Each message's `data` is a StreamMessage. A client that falls behind misses some; " +
        'an event `reset` says so after a reconnection.',
      parameters: [
        {
          name: 'last-event-id',
          in: 'header',
          required: false,
          description: 'the id of the last message seen',
          schema: { type: 'string' },
        },
      ],
      responses: {
        200: {
          description: 'a response that does not end',
          content: { 'text/event-stream': { schema: ref('StreamMessage') } },
        },
        ...refusals({ ...access, 503: 'too many are watching' }),
      },
    },
  },
};
