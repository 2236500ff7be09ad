// Implements `pushbench compare`: compares stored results of a baseline and of a candidate.

import { basename } from 'node:path';
import { compare } from '../core/comparison/compare-runs.ts';
import { ruleOf } from '../core/comparison/judge.ts';
import { runSetOf, variantCalled, type RunSet } from '../core/comparison/run-set.ts';
import { UserError, type ExitCode } from '../core/base/errors.ts';
import { listNames, nearest } from '../core/base/suggest.ts';
import { readResults } from '../reports/read/read-many.ts';
import { failOnOf, outputs, type OutputFlags } from './comparison-output.ts';

export type CompareFlags = OutputFlags & { strict: boolean; simulatedToo: boolean };
export type MatchFlags = { match: string[] };

/** @returns the exit code: what a comparison fails on says `comparisonExitCode` */
export async function compareCommand(
  baselinePath: string,
  candidatePath: string,
  options: CompareFlags & MatchFlags,
): Promise<ExitCode> {
  const failOn = failOnOf(options.failOn);
  const write = outputs(options);
  const baseline = await readResults(baselinePath);
  const candidate = await readResults(candidatePath);
  const [from, to] = namesOf(baselinePath, candidatePath);
  const [baselineRuns, candidateRuns] = [runSetOf(from, baseline), runSetOf(to, candidate)];
  const labels = options.match.map((text) => labelsOf(text, baselineRuns, candidateRuns));
  const comparison = compare(baselineRuns, candidateRuns, {
    createdAt: new Date(),
    rule: ruleOf({ strict: options.strict }),
    simulatedToo: options.simulatedToo,
    ...(labels.length > 0 && { labels }),
  });
  return write(comparison, failOn, { baseline, candidate });
}

/**
 * `sse @old=sse @new`: a variant of either side, by its label or its name.
 * @throws UserError when either side has none of that name
 */
function labelsOf(text: string, baseline: RunSet, candidate: RunSet): [baseline: string, candidate: string] {
  const labels = ({ variants }: RunSet) => variants.map(({ label }) => label);
  const has = (side: RunSet, name: string) => variantCalled(side, name) !== undefined;
  // A label may hold a sign of equality itself.
  const cuts = [...text.matchAll(/=/g)].map(({ index }): [string, string] => [
    text.slice(0, index),
    text.slice(index + 1),
  ]);
  const found = cuts.find(([from, to]) => has(baseline, from) && has(candidate, to));
  if (found) return [variantCalled(baseline, found[0])!.label, variantCalled(candidate, found[1])!.label];
  const [from, to] = cuts[0] ?? [text, ''];
  if (to === '')
    throw new UserError(
      'match',
      `--match ${text} names one variant: write it as 'BASELINE=CANDIDATE', such as 'sse @old=sse @new'.`,
    );
  const [side, label] = has(baseline, from) ? [candidate, to] : [baseline, from];
  const near = nearest(label, labels(side));
  throw new UserError(
    'match',
    `${side.name} has no variant "${label}"; ` +
      (near ? `did you mean "${near}"?` : `there are: ${listNames(labels(side))}`),
  );
}

/**
 * The last part of each path, or all of it where that does not tell them apart; two variants of one result
 * are told apart by their labels.
 */
function namesOf(a: string, b: string): [string, string] {
  if (a === b) return ['baseline', 'candidate'];
  const short = (path: string) => basename(path.replace(/\/(?:result\.json)?$/, '')) || path;
  return short(a) === short(b) ? [a, b] : [short(a), short(b)];
}
