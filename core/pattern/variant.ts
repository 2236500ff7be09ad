// Names variants: a pattern with its options, called by what differs from the defaults.

import { z } from 'zod';
import { writeDuration } from '../base/units.ts';
import type { PatternRegistry } from './pattern.ts';

/** A pattern with its options: what one trial measures. */
export type Variant = {
  pattern: string;
  /** As parsed by the pattern's schema, defaults filled in. */
  options: Readonly<Record<string, unknown>>;
  /** Short and unique within a scenario: the pattern and the options that differ from their defaults. */
  label: string;
  /** What the scenario calls it for readers (`as`); unique there too. */
  as?: string;
  /** The name of the target that it runs against; our own server when left out. */
  target?: string;
};

/** How a list of variants names one: `Svix (webhook retries=svix store=sqlite)`, or its label alone. */
export function fullName({ label, as }: Pick<Variant, 'label' | 'as'>): string {
  return as === undefined ? label : `${as} (${label})`;
}

/** The variant of `pattern` with options as its schema parsed them; with the defaults when left out. */
export function variantOf(
  registry: PatternRegistry,
  pattern: string,
  options?: Record<string, unknown>,
): Variant {
  const { options: schema, unnamedInLabels = [] } = registry[pattern]!;
  const defaults: Record<string, unknown> = schema.parse({});
  const chosen = options ?? defaults;
  const notes = Object.entries(chosen)
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key]))
    .map(([key, value]) => noteOf(key, value, writerOf(schema.shape[key]!), unnamedInLabels.includes(key)));
  return { pattern, options: chosen, label: [pattern, ...notes].join(' ') };
}

function noteOf(key: string, value: unknown, write: (value: unknown) => string, unnamed: boolean): string {
  if (value === true) return key;
  if (value === false) return `no-${key}`;
  if (Array.isArray(value)) return `${key}=${value.map(write).join(',') || 'none'}`;
  return unnamed ? write(value) : `${key}=${write(value)}`;
}

/** Writes an option's value as a scenario does: the inputs that its schema takes tell a number's unit. */
function writerOf(schema: z.core.$ZodType): (value: unknown) => string {
  const takes = (text: string) => z.safeParse(schema, text).success || z.safeParse(schema, [text]).success;
  const isDuration = takes('1s');
  const isRate = takes('1/s');
  const isShare = takes('1%');
  return (value) => {
    if (typeof value === 'number' && isDuration) return writeDuration(value);
    if (typeof value === 'number' && isRate) return `${value}/s`;
    if (typeof value === 'number' && isShare) return `${Number((value * 100).toPrecision(6))}%`;
    return String(value);
  };
}
