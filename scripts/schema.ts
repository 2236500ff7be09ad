// Writes the schemas that editors check scenario and target files against: `node scripts/schema.ts`.
// It says what a file may hold; what several values make impossible together only `pushbench validate` sees.

import { mkdirSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { patterns } from '../core/patterns.ts';
import { scenarioSchema } from '../core/scenario.ts';
import { targetSchema } from '../core/target.ts';

export const targetSchemaFile = new URL('../schema/target.schema.json', import.meta.url);
export const schemaFile = new URL('../schema/scenario.schema.json', import.meta.url);

/** The text of the scenarios' schema. */
export function schemaText(): string {
  return textOf(scenarioSchema(patterns), 'pushbench scenario');
}

/** The text of the target files' schema. */
export function targetSchemaText(): string {
  return textOf(targetSchema, 'pushbench target');
}

/** Draft 7, which the editors' YAML support reads best. */
function textOf(schema: z.ZodType, title: string): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}

if (import.meta.main) {
  mkdirSync(new URL('.', schemaFile), { recursive: true });
  writeFileSync(schemaFile, schemaText());
  writeFileSync(targetSchemaFile, targetSchemaText());
}
