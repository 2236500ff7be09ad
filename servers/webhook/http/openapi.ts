// The OpenAPI 3.1 document of the HTTP API: what stands at the head of api.ts, for machines. Requests and
// answers come from their schemas; here are the words around them.

import { z } from 'zod';
import { eventSchema } from '../../../core/event/schema.ts';
import { endWith } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';
import { answers } from './answers.ts';
import { deliveryStates, endpointChange, largestPage, recoverRange, rotation, topicList } from '../api.ts';

type Json = { readonly [key: string]: unknown };

const requests = {
  Registration: z.strictObject({
    url: z
      .string()
      .regex(/^https?:\/\//)
      .max(2048)
      .describe('where deliveries go; which addresses may be named, the options `receivers` and `allow` say'),
    events: topicList,
    secret: z.string().optional().describe('as the scheme has it; one is made when it is left out'),
  }),
  EndpointChange: endpointChange,
  Rotation: rotation,
  RecoverRange: recoverRange,
} as const;

/** JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. */
function schemasOf(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    target: 'draft-2020-12',
    uri: (id) => `#/components/schemas/${id}`,
    override({ jsonSchema }) {
      // What says no more than its type or format does.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      delete jsonSchema.readOnly;
    },
  });
  for (const schema of Object.values(schemas)) {
    delete schema.$schema; // the document's own dialect and address hold
    delete schema.$id;
  }
  return schemas;
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Json, description: string): Json => ({
  description,
  content: { 'application/json': { schema } },
});
const answer = (name: keyof typeof answers, description: string): Json => json(ref(name), description);
const body = (name: keyof typeof requests): Json => ({
  required: true,
  content: { 'application/json': { schema: ref(name) } },
});
const refusals = (rows: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(rows).map(([status, why]) => [status, answer('Error', why)]));

const query = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
});
const limit = (usual: number) =>
  query('limit', 'at most so many', { type: 'integer', minimum: 1, maximum: largestPage, default: usual });
const cursor = query('cursor', 'the `nextCursor` of the page before', {
  type: 'string',
  pattern: '^[0-9]{1,15}$',
});
const id = (of: string): Json => ({
  name: 'id',
  in: 'path',
  required: true,
  description: `the ${of}'s id`,
  schema: { type: 'string' },
});

const notThere = { 404: 'there is none with this id' };
const untaken = {
  503: 'the store did not take it: nothing has changed; `Retry-After` says when to try again',
};
const unread = { 503: 'the store cannot be read' };
const badQuery = { 400: 'a parameter is wrong' };
/** What the gate in front of every route says. */
const gate = { 403: 'from a page of another origin', 421: 'under a name that the server was not opened for' };
const access = { 401: 'from another machine or through a proxy, without the token', ...gate };

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
      ...['planned', 'sent', 'crc'].map((name) => ({
        name: `pushbench-${name}`,
        in: 'header',
        required: false,
        description: `\`${name}\` of the event`,
        schema: { type: 'integer', minimum: 0 },
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

const paths: Readonly<Record<string, Json>> = {
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
  '/webhooks': {
    post: {
      operationId: 'register',
      tags: ['endpoints'],
      summary: 'Register an endpoint',
      requestBody: body('Registration'),
      responses: {
        201: answer('Registered', 'it gets what is published from now on'),
        ...refusals({
          400: 'it is no JSON',
          413: 'it is too large',
          422: 'something in it is wrong',
          503: 'there are too many endpoints or topics, or the store did not take it',
          ...access,
        }),
      },
    },
    get: {
      operationId: 'listEndpoints',
      tags: ['endpoints'],
      summary: 'List the endpoints, oldest first',
      parameters: [limit(largestPage), cursor],
      responses: { 200: answer('EndpointList', 'a page of them'), ...refusals({ ...badQuery, ...access }) },
    },
  },
  '/webhooks/{id}': {
    parameters: [id('endpoint')],
    get: {
      operationId: 'getEndpoint',
      tags: ['endpoints'],
      summary: 'Look at an endpoint',
      responses: { 200: answer('Endpoint', 'as it is now'), ...refusals({ ...notThere, ...access }) },
    },
    patch: {
      operationId: 'changeEndpoint',
      tags: ['endpoints'],
      summary: 'Enable or disable it, or change its topics',
      description: 'What is published while it is disabled is kept as `cancelled`, for recovery.',
      requestBody: body('EndpointChange'),
      responses: {
        200: answer('Endpoint', 'as it is now'),
        ...refusals({
          400: 'it is no JSON',
          ...notThere,
          413: 'it is too large',
          422: 'something in it is wrong',
          ...untaken,
          ...access,
        }),
      },
    },
    delete: {
      operationId: 'removeEndpoint',
      tags: ['endpoints'],
      summary: 'Remove it; what waits for it is cancelled',
      responses: { 204: { description: 'it is gone' }, ...refusals({ ...notThere, ...untaken, ...access }) },
    },
  },
  '/webhooks/{id}/rotate': {
    parameters: [id('endpoint')],
    post: {
      operationId: 'rotateSecret',
      tags: ['endpoints'],
      summary: 'Replace its secret',
      description: 'The secret before signs too until the overlap ends.',
      requestBody: body('Rotation'),
      responses: {
        200: answer('Rotated', 'deliveries are signed with it from now on'),
        ...refusals({
          400: 'it is no JSON',
          ...notThere,
          409: 'it has this secret already, or too many at once',
          413: 'it is too large',
          422: 'something in it is wrong',
          ...untaken,
          ...access,
        }),
      },
    },
  },
  '/webhooks/{id}/test': {
    parameters: [id('endpoint')],
    post: {
      operationId: 'sendTest',
      tags: ['endpoints'],
      summary: 'Send it a test event, on the topic webhook.test',
      responses: {
        202: answer('Delivery', 'it is stored and will be sent'),
        ...refusals({ ...notThere, 409: 'the endpoint is disabled', ...untaken, ...access }),
      },
    },
  },
  '/webhooks/{id}/recover': {
    parameters: [id('endpoint')],
    post: {
      operationId: 'recover',
      tags: ['endpoints'],
      summary: 'Send again what it missed',
      description:
        'What was exhausted or cancelled of the events accepted from `since` up to, not including, ' +
        '`until`; now when left out.',
      requestBody: body('RecoverRange'),
      responses: {
        202: answer('Recovered', 'they are pending again'),
        ...refusals({
          400: 'it is no JSON',
          ...notThere,
          409: 'the endpoint is disabled',
          413: 'it is too large',
          422: 'something in it is wrong',
          ...untaken,
          ...access,
        }),
      },
    },
  },
  '/webhooks/events': {
    get: {
      operationId: 'listEvents',
      tags: ['events'],
      summary: 'List the events, newest first',
      parameters: [query('topic', 'of this topic alone', { type: 'string' }), limit(50), cursor],
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
        query('endpoint', 'to this endpoint alone', { type: 'string', maxLength: 64 }),
        query('state', 'in this state alone', { type: 'string', enum: deliveryStates }),
        query('event', 'of this event alone', { type: 'string', maxLength: 64 }),
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
      summary: 'How far behind the deliveries are',
      responses: { 200: answer('Stats', 'as it is now'), ...refusals({ ...unread, ...access }) },
    },
  },
  '/webhooks/stream': {
    get: {
      operationId: 'stream',
      tags: ['deliveries'],
      summary: 'Follow what happens, as Server-Sent Events',
      description:
        "Each message's `data` is a StreamMessage. Who falls behind misses some; " +
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

const signed = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => ({
  name,
  in: 'header',
  required: true,
  description: 'Standard Webhooks 1.0.0; another `scheme` puts its own headers in their place',
  schema: { type: 'string' },
}));

/** The document. The test event of an endpoint has fewer fields than an Event. */
export function openApiDocument(): Json {
  return {
    openapi: '3.1.1',
    info: {
      title: 'pushbench webhook delivery',
      version: '1',
      summary: 'Register endpoints, publish events, follow, replay and recover deliveries.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'pushbench serve webhook' }],
    security: [{}, { token: [] }],
    tags: [{ name: 'events' }, { name: 'endpoints' }, { name: 'deliveries' }],
    paths,
    webhooks: {
      event: {
        post: {
          operationId: 'deliver',
          summary: 'What an endpoint gets',
          parameters: [
            ...signed,
            {
              name: 'pushbench-attempt',
              in: 'header',
              required: true,
              description: 'from 1',
              schema: { type: 'integer', minimum: 1 },
            },
          ],
          requestBody: { required: true, content: { 'application/json': { schema: ref('PublishedEvent') } } },
          responses: {
            '2XX': { description: 'it was taken' },
            410: { description: 'never again: the endpoint is disabled' },
            default: { description: 'it failed, a redirect too, and is tried again' },
          },
        },
      },
    },
    components: {
      schemas: {
        ...schemasOf(requests, 'input'),
        ...schemasOf({ ...answers, PublishedEvent: eventSchema }, 'output'),
      },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'for requests from another machine or through a proxy: the token that the server printed',
        },
      },
    },
  };
}

/** `GET /openapi.json`: the document of this very server. */
export function openApiRoute(): Routes {
  let text: string | undefined;
  return {
    'GET /openapi.json': (_request, response) => {
      text ??= `${JSON.stringify(openApiDocument())}\n`;
      endWith(
        response,
        200,
        { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) },
        text,
      );
    },
  };
}
