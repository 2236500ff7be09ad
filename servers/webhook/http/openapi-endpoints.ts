// Describes the operations on endpoints for the OpenAPI document.

import { largestPage } from '../api.ts';
import {
  access,
  answer,
  badQuery,
  body,
  cursor,
  id,
  limit,
  notThere,
  refusals,
  untaken,
  type Json,
} from './openapi-parts.ts';

export const endpointPaths: Readonly<Record<string, Json>> = {
  '/webhooks': {
    post: {
      operationId: 'register',
      tags: ['endpoints'],
      summary: 'Register an endpoint',
      requestBody: body('Registration'),
      responses: {
        201: answer('Registered', 'it gets events that are published from now on'),
        ...refusals({
          400: 'it is not JSON',
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
      description: 'Events that are published while it is disabled are kept as `cancelled`, for recovery.',
      requestBody: body('EndpointChange'),
      responses: {
        200: answer('Endpoint', 'as it is now'),
        ...refusals({
          400: 'it is not JSON',
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
      summary: 'Remove it; its pending deliveries are cancelled',
      responses: { 204: { description: 'it is gone' }, ...refusals({ ...notThere, ...untaken, ...access }) },
    },
  },
  '/webhooks/{id}/rotate': {
    parameters: [id('endpoint')],
    post: {
      operationId: 'rotateSecret',
      tags: ['endpoints'],
      summary: 'Replace its secret',
      description: 'The previous secret also signs until the overlap ends.',
      requestBody: body('Rotation'),
      responses: {
        200: answer('Rotated', 'deliveries are signed with it from now on'),
        ...refusals({
          400: 'it is not JSON',
          ...notThere,
          409: 'it already has this secret, or too many secrets at once',
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
        'Exhausted and cancelled deliveries of events that were accepted from `since` up to, but not ' +
        'including, `until` (now when left out).',
      requestBody: body('RecoverRange'),
      responses: {
        202: answer('Recovered', 'they are pending again'),
        ...refusals({
          400: 'it is not JSON',
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
};
