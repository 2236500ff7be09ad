// Collects the runs of one side of a comparison: readings by variant, and the machine, versions and scenario
// of the runs. They come from results or from a baseline.

import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import type { Judged } from './comparison-result.ts';
import { defaultGates, gatesOfSource } from './gate.ts';
import { calledFor, sharedVariant, withoutVariant } from '../result/called.ts';
import { requireFinished } from '../result/missing.ts';
import { originOf, originText, simulatedSide } from './origin.ts';
import { readingOf, readingSchema } from './reading.ts';
import type { Result } from '../result/result.ts';

export const runSetSchema = z.strictObject({
  name: z.string(),
  createdAt: z.string(),
  pushbench: z.string(),
  environment: z.strictObject({
    os: z.string(),
    kernel: z.string(),
    cpu: z.string(),
    cores: z.number(),
    quotaCores: z.number().optional(),
    memoryBytes: z.number(),
    memoryLimitBytes: z.number().optional(),
    node: z.string(),
    descriptorLimit: z.number().nullable(),
    commit: z.string().nullable(),
  }),
  scenario: z.strictObject({
    name: z.string(),
    seed: z.number(),
    source: z.string().describe('the YAML as run'),
  }),
  simulated: simulatedSide,
  variants: z.array(
    z.strictObject({
      label: z.string(),
      as: z.string().optional().describe('its name in the scenario, for readers'),
      runs: z.array(readingSchema),
    }),
  ),
});

export type RunSet = z.infer<typeof runSetSchema>;

/**
 * The runs of all results together.
 * @param name what to call the side
 * @param results at least one, all of one scenario on one machine, and of runs that went to their end
 * @param cut takes results of runs that were cut short too, for a comparison that says so
 * @throws UserError when they are of several scenarios or machines, some measured and some simulated, or
 *   `unfinished` (exit code 4)
 */
export function runSetOf(
  name: string,
  results: readonly [Result, ...Result[]],
  { cut = false } = {},
): RunSet {
  const [first] = results;
  if (!cut) for (const result of results) requireFinished(name, result);
  // Of what a result says of its place, these decide whether two can be compared.
  const { loopback: _loopback, noProc: _noProc, ...environment } = first.environment;
  const { kernel, cpu, cores, quotaCores, node } = environment;
  const odd = results.find(
    (result) => result.scenario.source !== first.scenario.source || result.seed !== first.seed,
  );
  if (odd)
    throw new UserError(
      'mixed-scenarios',
      `${name} holds results of several scenarios (${first.scenario.name} of ${first.createdAt}, ` +
        `${odd.scenario.name} of ${odd.createdAt}): one side of a comparison is one scenario. Name the ` +
        'results one by one, or a folder for each.',
    );
  const other = results.find((result) => originText(originOf(result)) !== originText(originOf(first)));
  if (other)
    throw new UserError(
      'mixed-simulated',
      `${name} holds results that were made in different ways: of ${first.createdAt} was ` +
        `${originText(originOf(first))}, of ${other.createdAt} was ` +
        `${originText(originOf(other))}. One side of a comparison is of one kind: name the results one ` +
        'by one.',
    );
  const moved = results.find(
    ({ environment: e }) =>
      e.cpu !== cpu ||
      e.kernel !== kernel ||
      e.node !== node ||
      e.cores !== cores ||
      e.quotaCores !== quotaCores,
  );
  if (moved)
    throw new UserError(
      'mixed-machines',
      `${name} holds results of several machines (of ${first.createdAt} and ${moved.createdAt}): one ` +
        'side of a comparison is one machine. Name the results of one.',
    );
  const names = [
    ...new Set([
      ...[...defaultGates, ...gatesOfSource(first.scenario.source)].map(({ metric }) => metric),
      'delivered', // nothing is judged where neither side delivered anything
      'connections-per-subscriber', // descriptors of one and of two are not alike
    ]),
  ];
  const trials = results.flatMap((result) => result.trials);
  return {
    name,
    createdAt: first.createdAt,
    pushbench: first.pushbench,
    environment,
    ...originOf(first),
    scenario: { name: first.scenario.name, seed: first.seed, source: first.scenario.source },
    variants: [...Map.groupBy(trials, ({ variant }) => variant.label)].map(([label, own]) => {
      const as = calledFor(own[0]!); // a group has a member
      return { label, ...(as !== undefined && { as }), runs: own.map((trial) => readingOf(trial, names)) };
    }),
  };
}

/** The variant of a side that has this label, or else is called so. */
export function variantCalled({ variants }: RunSet, name: string): RunSet['variants'][number] | undefined {
  return variants.find(({ label }) => label === name) ?? variants.find(({ as }) => as === name);
}

/**
 * The label of each of the baseline's variants, with the label of the candidate's variant that it is compared
 * with: the one with the same label, or else the same name.
 */
export function sameVariants(baseline: RunSet, candidate: RunSet): [baseline: string, candidate: string][] {
  return baseline.variants.map(({ label, as }) => {
    const byLabel = candidate.variants.find((one) => one.label === label);
    const same = byLabel ?? (as === undefined ? undefined : candidate.variants.find((one) => one.as === as));
    return [label, same?.label ?? label];
  });
}

/**
 * The same with the names for readers, where either side has one; the cells of one variant without its name,
 * which is told once.
 */
export function withNames(
  variants: readonly Judged[],
  { baseline, candidate }: { baseline: RunSet; candidate: RunSet },
): { variants: Judged[]; variant?: string } {
  const names = variants.map((judged) => ({
    baseline: variantCalled(baseline, judged.baseline)?.as ?? judged.baseline,
    candidate: variantCalled(candidate, judged.candidate)?.as ?? judged.candidate,
  }));
  const variant = sharedVariant(names.flatMap((one) => [one.baseline, one.candidate]));
  return {
    variants: variants.map((judged, i) => {
      const called = {
        baseline: withoutVariant(names[i]!.baseline, variant),
        candidate: withoutVariant(names[i]!.candidate, variant),
      };
      const isLabel = called.baseline === judged.baseline && called.candidate === judged.candidate;
      return isLabel ? judged : { ...judged, called };
    }),
    ...(variant !== undefined && { variant }),
  };
}
