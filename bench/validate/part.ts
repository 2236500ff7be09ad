// A part of the validation: what it shows, the figures, and what held.

import type { Environment } from '../../core/result.ts';

export type Claim = { text: string; held: boolean };

/** @param markdown tables and sentences with the figures */
export type Outcome = { claims: Claim[]; markdown: string };

export type Part = {
  title: string;
  /** @param quick the shortest form that still shows something */
  run(quick: boolean): Promise<Outcome>;
};

/** A part as it is kept until it runs again. */
export type Kept = Outcome & { title: string; ranAt: string; quick: boolean; seconds: number; environment: Environment };

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
