// Describes how a scenario writes a variant: a pattern by its name, or with options of its own, and with a
// name for readers.

import { z } from 'zod';
import type { PatternRegistry } from '../pattern/pattern.ts';
import { variantOf, type Variant } from '../pattern/variant.ts';

/** A name for readers: short, and nothing that a target's name or a cell's values begin with. */
const readersName = z
  .string()
  .regex(/^[^\s@,](?:[^@,\r\n\t]{0,38}[^\s@,])?$/, {
    error: 'a name of 1 to 40 characters without @ and commas, such as "Svix"',
  })
  .describe('name of the variant in reports, unique in the scenario; its label when left out');

/** The schema of a variant over the patterns of `registry`. */
export function variantSchema(registry: PatternRegistry) {
  const names = Object.keys(registry) as [string, ...string[]]; // zod wants to see that there is one
  return z
    .union([
      z.enum(names).transform((pattern) => variantOf(registry, pattern)),
      z
        .strictObject({
          ...Object.fromEntries(
            names.map((name) => [name, registry[name]!.options.optional().describe(registry[name]!.how)]),
          ),
          as: readersName.optional(),
        })
        .refine((v) => Object.keys(v).filter((key) => key !== 'as').length === 1, {
          error:
            'a variant is one pattern with its options, such as "sse: ' +
            '{ over: h2 }", and "as" beside it for its name; write one entry for each',
        })
        .transform(({ as, ...patterns }): Variant => {
          const [pattern, options] = Object.entries(patterns)[0]!;
          return {
            ...variantOf(registry, pattern, options as Record<string, unknown>),
            ...(as !== undefined && { as }),
          };
        }),
    ])
    .describe(`a pattern (${names.join(', ')}), or a pattern with options and, with "as", a name`);
}
