// Writes the descriptions for machines: `npm run schema`. These are the schemas by which editors check
// scenario, target and price files (only `pushbench validate` notices values that contradict each other),
// those of results and comparisons, the event's schema, and the OpenAPI document of webhook delivery.

import { mkdirSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { z } from 'zod';
import { pricesSchema } from '../core/capacity/prices.ts';
import { comparisonSchema } from '../core/comparison/comparison-result.ts';
import { eventSchema } from '../core/event/schema.ts';
import { patterns } from '../core/pattern/registry.ts';
import { resultSchema } from '../core/result/result.ts';
import { scenarioSchema } from '../core/scenario/scenario.ts';
import { targetSchema } from '../core/target/target.ts';
import { openApiDocument } from '../servers/webhook/http/openapi.ts';

export const targetSchemaFile = new URL('../schema/target.schema.json', import.meta.url);
export const pricesSchemaFile = new URL('../schema/prices.schema.json', import.meta.url);
export const resultSchemaFile = new URL('../schema/result.schema.json', import.meta.url);
export const comparisonSchemaFile = new URL('../schema/comparison.schema.json', import.meta.url);
export const eventSchemaFile = new URL('../docs/event.schema.json', import.meta.url);
export const openApiFile = new URL('../docs/openapi.yaml', import.meta.url);
export const schemaFile = new URL('../schema/scenario.schema.json', import.meta.url);

/** The text of the scenarios' schema. */
export function schemaText(): string {
  return textOf(scenarioSchema(patterns), 'pushbench scenario');
}

/** The text of the target files' schema. */
export function targetSchemaText(): string {
  return textOf(targetSchema, 'pushbench target');
}

/** The text of the price files' schema. */
export function pricesSchemaText(): string {
  return textOf(pricesSchema, 'pushbench prices');
}

/** The text of the results' schema. */
export function resultSchemaText(): string {
  return textOf(resultSchema, 'pushbench result', 'output');
}

/** The text of the comparisons' schema. */
export function comparisonSchemaText(): string {
  return textOf(comparisonSchema, 'pushbench comparison', 'output');
}

/** The text of the event's schema. */
export function eventSchemaText(): string {
  const { $schema, ...rest } = z.toJSONSchema(eventSchema, { target: 'draft-2020-12' });
  return `${JSON.stringify({ $schema, title: 'pushbench event', ...rest }, null, 2)}\n`;
}

/** The text of the OpenAPI document. */
export function openApiText(): string {
  return (
    '# Written by scripts/schema.ts; the webhook server answers it at /openapi.json, too.\n' +
    `${stringify(openApiDocument(), { aliasDuplicateObjects: false, lineWidth: 0 })}`
  );
}

/**
 * Draft 7, which the editors' YAML support reads best.
 * @param io what people write, or what we do
 */
function textOf(schema: z.ZodType, title: string, io: 'input' | 'output' = 'input'): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-7' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

if (import.meta.main) {
  mkdirSync(new URL('.', schemaFile), { recursive: true });
  writeFileSync(schemaFile, schemaText());
  writeFileSync(targetSchemaFile, targetSchemaText());
  writeFileSync(pricesSchemaFile, pricesSchemaText());
  writeFileSync(resultSchemaFile, resultSchemaText());
  writeFileSync(comparisonSchemaFile, comparisonSchemaText());
  writeFileSync(eventSchemaFile, eventSchemaText());
  writeFileSync(openApiFile, openApiText());
}
