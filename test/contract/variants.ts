// Derives from the registry which variants of a pattern the contract suite tries, so that no new pattern and
// no new option can be left out.

import { z } from 'zod';
import type { Pattern } from '../../core/pattern/pattern.ts';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { variantOf, type Variant } from '../../core/pattern/variant.ts';
import { whyNot } from '../../core/scenario/server-fit.ts';
import type { ServerSetup } from '../../core/scenario/server-options.ts';

export type TriedVariant = Variant & {
  pattern: PatternName;
  entry: Pattern;
  /** What its server is told; nothing when left out. */
  setup?: Pick<ServerSetup, 'tls' | 'auth'>;
};

type Choice = boolean | string | number | readonly Choice[];

/**
 * What a scenario may write for an option that is true or false, or one of several words; of one that is a
 * list of words none and all of them; else nothing.
 */
export function choicesOf(schema: z.core.$ZodType): readonly Choice[] {
  const inner = schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? schema.unwrap() : schema;
  if (inner instanceof z.ZodBoolean) return [false, true];
  if (inner instanceof z.ZodArray && inner.element instanceof z.ZodEnum) return [[], inner.element.options];
  return inner instanceof z.ZodEnum ? inner.options : [];
}

/** Each pattern with its defaults, and its quick options with every combination of choices on the wire. */
export function triedVariants(): TriedVariant[] {
  return Object.keys(patterns).flatMap((name) => {
    const pattern = name as PatternName; // one of its keys
    const entry: Pattern = patterns[pattern];
    const given = [{}, ...combined(entry).map((choices) => ({ ...entry.quick, ...choices }))];
    const variants = given.map((options) => variantOf(patterns, pattern, entry.options.parse(options)));
    const byLabel = new Map(variants.map((variant) => [variant.label, { ...variant, pattern, entry }]));
    return [...byLabel.values()];
  });
}

const auth = { takes: 0, concurrency: 4, queue: 1000, seed: 7, lookup: { kind: 'wait', ms: 2 } } as const;

/**
 * Each pattern with its defaults, over each version of HTTP, over TLS and with tokens that are looked
 * up. Those that cannot have both are left out.
 */
export function guardedVariants(): TriedVariant[] {
  return Object.keys(patterns).flatMap((name) => {
    const pattern = name as PatternName; // one of its keys
    const entry: Pattern = patterns[pattern];
    const versions = entry.httpVersion ? (['h1', 'h2', 'h2c'] as const).map((over) => ({ over })) : [{}];
    return versions.flatMap((version) => {
      const options = entry.options.parse(version);
      const variant = variantOf(patterns, pattern, options);
      const unfit = (['tls', 'auth'] as const).some(
        (what) => whyNot(what, entry, variant.options, variant.label) !== undefined,
      );
      const label = `${variant.label}, with TLS and tokens`;
      return unfit ? [] : [{ ...variant, label, pattern, entry, setup: { tls: { resume: true }, auth } }];
    });
  });
}

/** Every combination of the choices of `entry` that show on the wire. */
function combined({ options, offWire = {} }: Pattern): Record<string, unknown>[] {
  return Object.entries(options.shape)
    .filter(([name, schema]) => choicesOf(schema).length > 0 && !Object.hasOwn(offWire, name))
    .reduce<Record<string, unknown>[]>(
      (all, [name, schema]) =>
        all.flatMap((one) => choicesOf(schema).map((choice) => ({ ...one, [name]: choice }))),
      [{}],
    );
}
