// Describes the outcome of comparing a candidate with a baseline, which gates, reports and later readers go
// by, and what it means for a script. It has a version, as the result has; judge.ts decides.

import { z } from 'zod';
import { exitCodes, type ExitCode } from '../base/errors.ts';

export const comparisonFormat = 'pushbench-comparison';
export const comparisonVersion = 2;

const count = z.int().min(0);
const figure = z.number().nullable();

/**
 * `slower`: worse by more than matters, beyond chance. `not-slower`: shown to be no worse than matters.
 * `inconclusive`: neither could be shown. `invalid`: the measurement failed its own checks.
 */
export const verdictSchema = z.enum(['slower', 'not-slower', 'inconclusive', 'invalid']);
const decided = z.enum(['slower', 'not-slower', 'inconclusive']);
/** Over the runs of each side. */
const ends = z.tuple([z.number(), z.number()]).describe('lowest and highest run');
const ranges = z.strictObject({ baseline: ends, candidate: ends });
const unit = z.enum(['us', 'bytes', 'share', 'count', 'per-s']);

const ratioMetric = z.strictObject({
  kind: z.literal('ratio'),
  metric: z.string(),
  unit,
  gating: z.boolean().describe('part of the verdict'),
  minimumEffect: z.number().describe('share; less than this does not matter'),
  baseline: z.number().describe('median over the runs'),
  candidate: z.number(),
  ranges,
  ratio: z.number().describe('Hodges-Lehmann estimate of candidate over baseline'),
  low: figure.describe('ends of the interval for the ratio, null where there are too few runs for one'),
  high: figure,
  p: z.number().describe('two-sided'),
  pAdjusted: figure.describe(
    "Holm's correction over all gating metrics of the comparison; null when not gating",
  ),
  ratios: z
    .array(z.number())
    .describe('candidate over baseline, pair by pair; empty where runs are not paired'),
  runs: count.describe('pairs used; of unpaired runs, those of the smaller side'),
  runsNeeded: count
    .nullable()
    .describe('about as many would have decided; null when decided, or when no reasonable number would'),
  verdict: decided.nullable().describe('null when not gating'),
});

const exactMetric = z.strictObject({
  kind: z.literal('exact'),
  metric: z.string(),
  unit,
  tolerance: z.number().describe("in the metric's unit"),
  baseline: z.number().describe('median over the runs'),
  candidate: z.number(),
  ranges,
  changed: z.boolean(),
  verdict: z.enum(['slower', 'not-slower']),
});

const lossMetric = z.strictObject({
  kind: z.literal('loss'),
  metric: z.string(),
  unit,
  baseline: z.number().describe('mean over the runs'),
  candidate: z.number(),
  ranges,
  p: figure.describe('only where the baseline has some too'),
  pAdjusted: figure,
  verdict: decided,
});

const absentMetric = z.strictObject({
  kind: z.literal('absent'),
  metric: z.string(),
  gating: z.boolean(),
  why: z.string(),
  verdict: z.literal('inconclusive').nullable().describe('inconclusive when only one side lacks it'),
});

const metric = z.discriminatedUnion('kind', [ratioMetric, exactMetric, lossMetric, absentMetric]);

const judged = z.strictObject({
  baseline: z.string().describe("label of the baseline's variant"),
  candidate: z.string(),
  paired: z.boolean(),
  given: count.describe('pairs, or runs of both sides where they are not paired'),
  counted: count,
  dropped: z.array(
    z.strictObject({ run: count.describe('number of the pair or run, from 1'), why: z.string() }),
  ),
  metrics: z.array(metric),
  verdict: verdictSchema,
  why: z.string().describe('one sentence'),
});

const rule = z.strictObject({
  alpha: z.number().describe('level of each look'),
  strict: z.boolean().describe('slower only when the whole interval lies above the minimum effect'),
  look: z.int().min(1),
  looks: z.int().min(1).describe('looks at the data declared beforehand'),
});

const side = z.strictObject({
  name: z.string(),
  createdAt: z.string(),
  pushbench: z.string(),
  commit: z.string().nullable(),
});

export const comparisonSchema = z.strictObject({
  format: z.literal(comparisonFormat),
  version: z.literal(comparisonVersion),
  createdAt: z.iso.datetime(),
  scenario: z.string(),
  baseline: side,
  candidate: side,
  /** Why timing is no proof of anything here; empty when runs were interleaved on one machine. */
  advisory: z.array(
    z.strictObject({
      code: z.enum(['not-interleaved', 'unbalanced', 'machine', 'scenario', 'single']),
      message: z.string(),
    }),
  ),
  /** What the two sides were run with, where that differs. */
  differences: z.array(z.strictObject({ what: z.string(), baseline: z.string(), candidate: z.string() })),
  /** Variants that only one side has, where those of one name were held against each other. */
  unmatched: z.strictObject({ baseline: z.array(z.string()), candidate: z.array(z.string()) }),
  rule,
  variants: z.array(judged),
  cut: z
    .string()
    .optional()
    .describe(
      'what is missing, where the run that made both sides was cut short; the verdict is invalid then',
    ),
  verdict: verdictSchema.describe('the gravest of the variants: invalid, slower, inconclusive, not-slower'),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
export type Judged = z.infer<typeof judged>;
export type JudgedMetric = z.infer<typeof metric>;
export type Rule = z.infer<typeof rule>;
export type Advisory = Comparison['advisory'][number];

/**
 * What beyond a proven loss makes a comparison fail: verdicts that leave the question open, and
 * timings that prove nothing.
 */
export const failOnNames = ['inconclusive', 'advisory'] as const;
export type FailOn = (typeof failOnNames)[number];

/**
 * What is worse, and whether that stands whatever the circumstances: counts do, unless another scenario was
 * run; timings need interleaved runs on one machine.
 */
export function worseIn({ variants, advisory, cut }: Pick<Comparison, 'variants' | 'advisory' | 'cut'>): {
  judged: Judged;
  metric: JudgedMetric;
  binding: boolean;
}[] {
  if (cut !== undefined) return [];
  const otherScenario = advisory.some(({ code }) => code === 'scenario');
  return variants
    .filter(({ verdict }) => verdict !== 'invalid')
    .flatMap((judgedVariant) =>
      judgedVariant.metrics
        .filter(({ verdict }) => verdict === 'slower')
        .map((one) => ({
          judged: judgedVariant,
          metric: one,
          binding: one.kind === 'ratio' ? advisory.length === 0 : !otherScenario,
        })),
    );
}

/** The exit code of a comparison. */
export function comparisonExitCode(comparison: Comparison, failOn: readonly FailOn[]): ExitCode {
  const worse = worseIn(comparison);
  if (comparison.verdict === 'invalid') return exitCodes.invalid;
  if (worse.some(({ binding }) => binding || failOn.includes('advisory'))) return exitCodes.slower;
  const open = comparison.variants.some(({ verdict }) => verdict === 'inconclusive');
  return open && failOn.includes('inconclusive') ? exitCodes.inconclusive : exitCodes.ok;
}
