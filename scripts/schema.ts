// Writes schema/scenario.schema.json, which editors check scenario files against: `node scripts/schema.ts`.
// It says what a file may hold; what several values make impossible together only `pushbench validate` sees.

import { mkdirSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { patterns } from '../core/patterns.ts';
import { scenarioSchema } from '../core/scenario.ts';

export const schemaFile = new URL('../schema/scenario.schema.json', import.meta.url);

/** The schema's text. Draft 7, which the editors' YAML support reads best. */
export function schemaText(): string {
  const { $schema, ...rest } = z.toJSONSchema(scenarioSchema(patterns), { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ $schema, title: 'pushbench scenario', ...rest }, null, 2)}\n`;
}

if (import.meta.main) {
  mkdirSync(new URL('.', schemaFile), { recursive: true });
  writeFileSync(schemaFile, schemaText());
}
