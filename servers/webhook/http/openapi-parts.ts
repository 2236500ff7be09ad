// Builds the pieces that every operation of the OpenAPI document is made of: references, bodies, answers,
// refusals, parameters.

import { z } from 'zod';
import { endpointChange, largestPage, recoverRange, rotation, topicList } from '../api.ts';
import type { answers } from './answers.ts';

export type Json = { readonly [key: string]: unknown };

/** What requests hold. */
export const requests = {
  Registration: z.strictObject({
    url: z
      .string()
      .regex(/^https?:\/\//)
      .max(2048)
      .describe('where deliveries go; the options `receivers` and `allow` say which addresses are allowed'),
    events: topicList,
    secret: z
      .string()
      .optional()
      .describe('in the form of the scheme; the server makes one when it is left out'),
  }),
  EndpointChange: endpointChange,
  Rotation: rotation,
  RecoverRange: recoverRange,
} as const;

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: Json, description: string): Json => ({
  description,
  content: { 'application/json': { schema } },
});
export const answer = (name: keyof typeof answers, description: string): Json => json(ref(name), description);
export const body = (name: keyof typeof requests): Json => ({
  required: true,
  content: { 'application/json': { schema: ref(name) } },
});
export const refusals = (rows: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(rows).map(([status, why]) => [status, answer('Error', why)]));

export const query = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'query',
  required: false,
  description,
  schema,
});
export const limit = (usual: number) =>
  query('limit', 'the most entries', { type: 'integer', minimum: 1, maximum: largestPage, default: usual });
export const cursor = query('cursor', 'the `nextCursor` of the page before', {
  type: 'string',
  pattern: '^[0-9]{1,15}$',
});
export const id = (of: string): Json => ({
  name: 'id',
  in: 'path',
  required: true,
  description: `the ${of}'s id`,
  schema: { type: 'string' },
});

export const notThere = { 404: 'there is none with this id' };
export const untaken = {
  503: 'the store did not take it: nothing has changed; `Retry-After` says when to try again',
};
export const unread = { 503: 'the store cannot be read' };
export const badQuery = { 400: 'a parameter is wrong' };
/** What the gate in front of every route says. */
export const gate = {
  403: 'from a page of another origin',
  421: 'under a host name that the server was not opened for',
};
export const access = { 401: 'from another machine or through a proxy without the token', ...gate };
