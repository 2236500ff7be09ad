// Makes the OpenAPI 3.1 document of the HTTP API: what the head of api.ts says, for machines. Requests and
// answers come from their schemas; openapi-endpoints.ts and openapi-deliveries.ts have the words around them.

import { z } from 'zod';
import { eventSchema } from '../../../core/event/schema.ts';
import { endWith } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';
import { answers } from './answers.ts';
import { deliveryPaths, publishPaths } from './openapi-deliveries.ts';
import { endpointPaths } from './openapi-endpoints.ts';
import { ref, requests, type Json } from './openapi-parts.ts';

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

const signed = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => ({
  name,
  in: 'header',
  required: true,
  description: 'Standard Webhooks 1.0.0; another `scheme` has its own headers instead',
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
    paths: { ...publishPaths, ...endpointPaths, ...deliveryPaths },
    webhooks: {
      event: {
        post: {
          operationId: 'deliver',
          summary: 'The request that an endpoint gets',
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
            default: { description: 'it failed (a redirect too) and is tried again' },
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
