// Describes what parts keep of their measurements, so that other models, or the same ones with another
// profile, can be compared with them without running anything again.

import { z } from 'zod';
import { searchLimit } from '../../../core/result/beside-trials.ts';
import { figureNames, type FigureName } from './figures.ts';
import { stormFigures as stormFigureNames, type StormFigure } from './storm-judge.ts';

/** JSON has null where there is no number. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const end = z
  .number()
  .nullable()
  .transform((value) => value ?? Infinity);
const between = z.strictObject({ lowUs: end, highUs: end }).optional();

const count = z.int().min(0);
const figures = z.strictObject(
  Object.fromEntries(figureNames.map((name) => [name, figure])) as Record<FigureName, typeof figure>,
);
const stormFigures = z.strictObject(
  Object.fromEntries(stormFigureNames.map((name) => [name, figure])) as Record<StormFigure, typeof figure>,
);

const point = z.strictObject({
  pattern: z.string(),
  subscribers: count,
  perS: z.number(),
  measureMs: count,
  repetition: count,
});
/** With both keys. */
const betweens = z.strictObject({ p50: between, p99: between }).transform(({ p50, p99 }) => ({ p50, p99 }));
const ofTrials = { events: count, measured: figures, between: betweens };
const around = {
  leftOut: z.array(z.string()).describe('a sentence for each trial that does not count'),
  cores: z.string().describe('which cores processes were kept to, as part of a sentence'),
};

export const keptGrid = z.strictObject({
  rows: z.array(z.strictObject({ points: z.array(point).min(1), ...ofTrials })).min(1),
  ...around,
});
export const keptCases = z.strictObject({
  rows: z.array(z.strictObject({ name: z.string(), trials: count, ...ofTrials })).min(1),
  ...around,
});
export const keptStorms = z.strictObject({
  rows: z.array(z.strictObject({ name: z.string(), measured: z.array(stormFigures).min(1) })).min(1),
  ...around,
});

export const keptKnees = z.strictObject({
  rows: z.array(z.strictObject({ pattern: z.string(), measured: searchLimit, why: z.string() })).min(1),
  cores: around.cores,
});

export type KeptGrid = z.infer<typeof keptGrid>;
export type KeptCases = z.infer<typeof keptCases>;
export type KeptStorms = z.infer<typeof keptStorms>;
export type KeptKnees = z.infer<typeof keptKnees>;

/** @throws Error where cases were measured that there are no more */
export function caseNamed<C extends { name: string }>(cases: readonly C[], name: string): C {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`there is no case "${name}" any more: run the part again`);
  return found;
}
