// Reads the OpenAPI document, checked by a validator that knows nothing of us, for tests that hold the server
// against it.

import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { parse } from 'yaml';
import { z } from 'zod';
import { openApiFile } from '../../../../scripts/schema.ts';

export type Schema = Parameters<typeof z.fromJSONSchema>[0];
export type Media = { schema: Schema };
export type Parameter = {
  name: string;
  in: string;
  schema: { default?: unknown; maximum?: number; enum?: unknown[] };
};
export type Operation = {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
};
export type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  webhooks: { event: { post: Operation } };
};

export const text = readFileSync(openApiFile, 'utf8');
export const validator = new Validator();
export const { valid, errors } = await validator.validate(
  parse(text) as Parameters<Validator['validate']>[0],
);
// With every reference replaced by what it refers to.
export const document = validator.resolveRefs() as Document;
export const methods = ['get', 'post', 'patch', 'delete'];

export function operationsIn({ paths }: Document): [method: string, path: string, operation: Operation][] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method): [string, string, Operation][] =>
      item[method] ? [[method.toUpperCase(), path, item[method]]] : [],
    ),
  );
}
