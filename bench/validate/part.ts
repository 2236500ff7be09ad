// Defines a part of the validation: what it shows, the figures, and what held.

import { z } from 'zod';

const claim = z.strictObject({ text: z.string(), held: z.boolean() });

const outcome = z.strictObject({
  claims: z.array(claim).min(1),
  markdown: z.string().describe('tables and sentences with the figures'),
  measured: z
    .unknown()
    .optional()
    .describe('of parts that predict: what was measured, with all digits, to be predicted again'),
});

/** A part as it is kept until it runs again. */
export const keptSchema = z.strictObject({
  ...outcome.shape,
  title: z.string(),
  ranAt: z.iso.datetime(),
  seconds: z.int().min(0),
  machine: z.string().describe('where it ran, in words'),
  predicted: z
    .strictObject({ at: z.iso.datetime(), commit: z.string() })
    .optional()
    .describe('when predictions were made again from what was measured then'),
});

export type Claim = z.infer<typeof claim>;
export type Outcome = z.infer<typeof outcome>;
export type Kept = z.infer<typeof keptSchema>;

export type Part = {
  title: string;
  /** What `--cases N` says how many there are to be of; left out where their number is fixed. */
  cases?: string;
  /**
   * @param quick the shortest form that still goes through all of it
   * @param cases how many, where the part lets that be said
   * @param profile of this machine, a file or the name of a shipped one; the only shipped one when left out
   */
  run(quick: boolean, cases?: number, profile?: string): Promise<Outcome>;
  /**
   * Predicts again what was measured before, where predictions are compared with measurements.
   * @param measured of the outcome that is kept
   * @throws Error where it has another shape
   */
  again?(measured: unknown, profile?: string): Outcome | Promise<Outcome>;
  /**
   * One case of it alone, by its number, where it has such.
   * @throws Error when there is none of that number
   */
  repeat?(number: number): Promise<Outcome>;
};

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
