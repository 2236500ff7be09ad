// Lists what a comparison is decided on: which metrics, and from which change on each of them matters. These
// are the defaults, and how a scenario writes its own (`gate:`); judge.ts decides.

import { z } from 'zod';
import { parseBound } from '../metrics/check.ts';
import { metrics } from '../metrics/registry.ts';
import { share } from '../base/quantities.ts';
import { listNames, nearest } from '../base/suggest.ts';
import { largestFileBytes, plainValue, readYaml } from '../base/yaml-document.ts';

export type Gate =
  /**
   * Noisy: candidate over baseline, by the signed-rank test. Worse by less than `minimumEffect`
   * (a share) does not matter.
   */
  (
    | {
        kind: 'ratio';
        metric: string;
        minimumEffect: number;
        /** `false`: shown, and no part of the verdict. */ gating: boolean;
      }
    /**
     * Decided by the protocol and not by the machine: medians compared as they are,
     * `tolerance` in the metric's unit.
     */
    | { kind: 'exact'; metric: string; tolerance: number }
    /**
     * Deliveries gone wrong, and what should not happen at all. One is too many where the baseline has none.
     */
    | { kind: 'loss'; metric: string }
  ) & {
    /** The scenario names it: if neither side has a figure, the metric is not judged instead of left out. */
    asked?: true;
  };

/** Losses have no tolerance; `off` turns one off. */
const lossMetrics = new Set(['missed', 'duplicated', 'reordered', 'corrupted', 'errors']);

/** Minimum effects chosen by the metrics' noise; changes of twice as much are found reliably. */
export const defaultGates: readonly Gate[] = [
  { kind: 'ratio', metric: 'latency.p50', minimumEffect: 0.05, gating: true },
  { kind: 'ratio', metric: 'latency.p90', minimumEffect: 0.1, gating: true },
  { kind: 'ratio', metric: 'latency.p99', minimumEffect: 0.2, gating: true },
  { kind: 'ratio', metric: 'server-cpu-per-delivery', minimumEffect: 0.05, gating: true },
  { kind: 'ratio', metric: 'latency.p99.9', minimumEffect: 0.2, gating: false },
  { kind: 'ratio', metric: 'bytes-per-delivery', minimumEffect: 0.05, gating: false },
  { kind: 'exact', metric: 'requests-per-delivery', tolerance: 0.05 },
  { kind: 'exact', metric: 'descriptors-per-subscriber', tolerance: 0.05 },
  ...[...lossMetrics].map((metric): Gate => ({ kind: 'loss', metric })),
];

/** What a scenario may say of one metric. */
const setting = z
  .union([
    share.transform((minimumEffect) => ({ minimumEffect })),
    z.literal('off'),
    z.strictObject({
      tolerance: z
        .union([z.string().min(1), z.number().min(0)])
        .describe('how much higher it may be, with its unit: 0.1, 5ms, 2kB'),
    }),
  ])
  .describe('a minimum effect such as 10%, "tolerance" with an absolute amount, or off');

/** The `gate` section: for each metric, the change that matters; a metric left out keeps its default. */
export const gateSchema = z
  .record(z.string(), setting)
  .superRefine((settings, context) => {
    for (const [metric, one] of Object.entries(settings)) {
      const problem = problemOf(metric, one);
      if (problem) context.addIssue({ code: 'custom', path: [metric], message: problem });
    }
  })
  .describe(
    'metrics that decide a comparison, with a minimum effect or a tolerance; others keep their default',
  );

type Settings = z.output<typeof gateSchema>;

function problemOf(metric: string, one: Settings[string]): string | undefined {
  if (!Object.hasOwn(metrics, metric)) {
    const near = nearest(metric, Object.keys(metrics));
    return (
      `there is no metric "${metric}"; ` +
      (near ? `did you mean "${near}"?` : `there are ${listNames(Object.keys(metrics), Infinity)}`)
    );
  }
  if (metrics[metric]!.better !== 'lower')
    return `${metric} is not worse when it is higher, so nothing can be gated on it`;
  if (one === 'off') return undefined;
  if (lossMetrics.has(metric))
    return (
      `${metric} fails a comparison outright wherever the baseline ` +
      'has none; leave it as it is, or turn it off'
    );
  if ('tolerance' in one) {
    const parsed = parseBound(metric, String(one.tolerance));
    return 'problem' in parsed ? parsed.problem : undefined;
  }
  return undefined;
}

/** The gates with a scenario's own settings over the defaults. @param settings of a checked scenario */
export function gatesOf(settings: Settings = {}): Gate[] {
  const own = Object.entries(settings).flatMap(([metric, one]): Gate[] => {
    if (one === 'off') return [];
    if ('minimumEffect' in one)
      return [{ kind: 'ratio', metric, minimumEffect: one.minimumEffect, gating: true, asked: true }];
    const bound = parseBound(metric, String(one.tolerance));
    return 'problem' in bound ? [] : [{ kind: 'exact', metric, tolerance: bound.bound, asked: true }];
  });
  return [...own, ...defaultGates.filter(({ metric }) => !Object.hasOwn(settings, metric))];
}

/** The gates of a scenario as a result keeps it, as YAML; the defaults where it has none that can be read. */
export function gatesOfSource(source: string): Gate[] {
  if (Buffer.byteLength(source) > largestFileBytes) return gatesOf();
  const yaml = readYaml(source);
  const plain = yaml.broken ? undefined : plainValue(yaml);
  if (!plain || 'problem' in plain) return gatesOf();
  return gatesOf(z.looseObject({ gate: gateSchema.optional() }).safeParse(plain.value).data?.gate);
}
