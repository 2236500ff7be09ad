// Describes the outcome of comparing a candidate with a baseline, for gates, reports and later readers, and
// the exit code that it gives a script. It has a version, as the result has; judge.ts decides.

import { z } from 'zod';
import { exitCodes, type ExitCode } from '../base/errors.ts';

export const comparisonFormat = 'pushbench-comparison';
export const comparisonVersion = 3;
/** Read too: its p is two-sided, its interval covers 1 - alpha, and `not-judged` was called `invalid`. */
const earlierVersion = 2;

const count = z.int().min(0);
const figure = z.number().nullable();

/**
 * `slower`: worse by more than matters, beyond chance; of counts, worse. `not-slower`: shown to be no worse
 * than matters. `inconclusive`: judged, and neither could be shown ("undecided" where people read).
 * `not-judged`: there was nothing to judge, or what there was does not count.
 */
export const verdictSchema = z.preprocess(
  (word) => (word === 'invalid' ? 'not-judged' : word),
  z.enum(['slower', 'not-slower', 'inconclusive', 'not-judged']),
);
const words = z.enum(['slower', 'not-slower', 'inconclusive', 'not-judged']);
const whyNotJudged = z.string().optional().describe('why it was not judged, if there are too few runs');
const ofWhatCame = z
  .literal(true)
  .optional()
  .describe('both sides lost deliveries, so the latency covers only deliveries that arrived');
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
  low: figure.describe(
    'bounds of the ratio, each with an error rate of alpha; null if there are too few runs',
  ),
  high: figure,
  p: z
    .number()
    .describe('one-sided: the probability of figures at least this much worse if nothing has changed'),
  pAdjusted: figure.describe(
    "Holm's correction over all gating metrics of the comparison; null when not gating",
  ),
  ratios: z.array(z.number()).describe('candidate over baseline, pair by pair; empty if runs are not paired'),
  runs: count.describe('pairs used; for unpaired runs the number of runs of the smaller side'),
  runsNeeded: count
    .nullable()
    .describe(
      'about how many runs would have decided; null when decided, or when no reasonable number would',
    ),
  verdict: words.nullable().describe('null when not gating'),
  why: whyNotJudged,
  ofWhatCame,
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
  verdict: z.enum(['slower', 'not-slower', 'not-judged']),
  ofWhatCame,
});

const lossMetric = z.strictObject({
  kind: z.literal('loss'),
  metric: z.string(),
  unit,
  baseline: z.number().describe('mean over the runs'),
  candidate: z.number(),
  ranges,
  p: figure.describe('only if the baseline has some too'),
  pAdjusted: figure,
  verdict: words,
  why: whyNotJudged,
});

const absentMetric = z.strictObject({
  kind: z.literal('absent'),
  metric: z.string(),
  gate: z.enum(['ratio', 'exact', 'loss']).optional().describe('the rule by which it would have been judged'),
  gating: z.boolean(),
  why: z.string(),
  verdict: z
    .enum(['not-judged', 'inconclusive'])
    .nullable()
    .describe('null when it does not gate, or when there is no figure and the scenario does not ask for it'),
});

const metric = z.discriminatedUnion('kind', [ratioMetric, exactMetric, lossMetric, absentMetric]);

const judged = z.strictObject({
  baseline: z.string().describe("label of the baseline's variant"),
  candidate: z.string(),
  called: z
    .strictObject({ baseline: z.string(), candidate: z.string() })
    .optional()
    .describe('names of the two variants for readers, if these are not their labels'),
  paired: z.boolean(),
  given: count.describe('pairs, or runs of both sides if they are not paired'),
  counted: count.describe('pairs or runs with any valid figure'),
  dropped: z.array(
    z.strictObject({
      run: count.describe('number of the pair or run, from 1'),
      why: z.string(),
      metrics: z.array(z.string()).optional().describe('metrics that this is about; all when left out'),
    }),
  ),
  metrics: z.array(metric),
  verdict: verdictSchema,
  why: z.string().describe('one sentence'),
  away: z
    .strictObject({ baseline: z.string().optional(), candidate: z.string().optional() })
    .optional()
    .describe('how long clients were away in the runs that missed deliveries, in words, if any were'),
});

const rule = z.strictObject({
  alpha: z.number().describe('level of each look'),
  strict: z.boolean().describe('"slower" only if the whole interval lies above the minimum effect'),
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
  version: z.literal([earlierVersion, comparisonVersion]),
  createdAt: z.iso.datetime(),
  scenario: z.string(),
  baseline: side,
  candidate: side,
  /** Why timing proves nothing here; empty when runs were interleaved on one machine. */
  advisory: z.array(
    z.strictObject({
      code: z.enum(['not-interleaved', 'unbalanced', 'machine', 'scenario', 'single', 'simulated']),
      message: z.string(),
    }),
  ),
  /** What the two sides were run with, where that differs. */
  differences: z.array(z.strictObject({ what: z.string(), baseline: z.string(), candidate: z.string() })),
  /** Variants that only one side has, if variants of the same name were compared. */
  unmatched: z.strictObject({ baseline: z.array(z.string()), candidate: z.array(z.string()) }),
  rule,
  variant: z
    .string()
    .optional()
    .describe('the variant to which all cells belong, if the names for readers leave it out'),
  variants: z.array(judged),
  cut: z
    .string()
    .optional()
    .describe(
      'what is missing, if the run that made both sides was cut short; then the verdict is not-judged',
    ),
  verdict: verdictSchema.describe(
    "the worst of the variants' verdicts, in this order: slower, not-judged, inconclusive, not-slower",
  ),
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
  return variants.flatMap((judgedVariant) =>
    judgedVariant.metrics
      .filter(({ verdict }) => verdict === 'slower')
      .map((one) => ({
        judged: judgedVariant,
        metric: one,
        binding: one.kind === 'ratio' ? advisory.length === 0 : !otherScenario,
      })),
  );
}

/** A metric of a variant; a whole variant where no metric is named; all of it where no variant is. */
export type NotJudged = {
  judged: Judged | undefined;
  metric: JudgedMetric | undefined;
  why: string;
};

/**
 * What was asked for and not judged, with the reason: whole variants, and single metrics of the others.
 * Timings that prove nothing anyway (advisory) are not asked for; but where nothing else gates, nothing was
 * judged.
 * @param failOn with `advisory` such timings are asked for
 */
export function notJudgedIn(
  { variants, advisory, cut, scenario }: Comparison,
  failOn: readonly FailOn[] = [],
): NotJudged[] {
  if (cut !== undefined) return [{ judged: undefined, metric: undefined, why: cut }];
  if (variants.length === 0)
    return [{ judged: undefined, metric: undefined, why: `no variant of ${scenario} is on both sides` }];
  const advice = advisory.length > 0 && !failOn.includes('advisory');
  const isAdvice = (one: JudgedMetric) =>
    advice && (one.kind === 'ratio' || (one.kind === 'absent' && one.gate === 'ratio'));
  return variants.flatMap((judgedVariant): NotJudged[] => {
    const { metrics, verdict, why } = judgedVariant;
    const asked = metrics.filter((one) => one.verdict !== null && !isAdvice(one));
    if (verdict === 'not-judged' && !asked.some((one) => one.verdict !== 'not-judged'))
      return [{ judged: judgedVariant, metric: undefined, why }];
    if (advice && asked.length === 0)
      return [
        {
          judged: judgedVariant,
          metric: undefined,
          why: 'only timings gate, and timings prove nothing here (see what is advisory)',
        },
      ];
    return asked
      .filter((one) => one.verdict === 'not-judged')
      .map((metric) => ({
        judged: judgedVariant,
        metric,
        why: ('why' in metric && metric.why) || why,
      }));
  });
}

/** The exit code of a comparison: what is worse takes precedence over what was not judged. */
export function comparisonExitCode(comparison: Comparison, failOn: readonly FailOn[]): ExitCode {
  const worse = worseIn(comparison);
  if (worse.some(({ binding }) => binding || failOn.includes('advisory'))) return exitCodes.slower;
  if (notJudgedIn(comparison, failOn).length > 0) return exitCodes.inconclusive;
  const open = comparison.variants.some(({ verdict }) => verdict === 'inconclusive');
  return open && failOn.includes('inconclusive') ? exitCodes.inconclusive : exitCodes.ok;
}
