// Describes how a scenario writes a variant: a pattern by its name, or with options of its own.

import { z } from 'zod';
import type { PatternRegistry } from '../pattern/pattern.ts';
import { variantOf } from '../pattern/variant.ts';

/** The schema of a variant over the patterns of `registry`. */
export function variantSchema(registry: PatternRegistry) {
  const names = Object.keys(registry) as [string, ...string[]]; // zod wants to see that there is one
  return z
    .union([
      z.enum(names).transform((pattern) => variantOf(registry, pattern)),
      z
        .strictObject(
          Object.fromEntries(
            names.map((name) => [name, registry[name]!.options.optional().describe(registry[name]!.how)]),
          ),
        )
        .refine((v) => Object.keys(v).length === 1, {
          error:
            'a variant is one pattern with its options, such as "sse: ' +
            '{ over: h2 }"; write one entry for each',
        })
        .transform((v) => {
          const [pattern, options] = Object.entries(v)[0]!;
          return variantOf(registry, pattern, options as Record<string, unknown>);
        }),
    ])
    .describe(`a pattern (${names.join(', ')}), or a pattern with options`);
}
