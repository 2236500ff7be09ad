// `pushbench compare`: stored results of a baseline and a candidate, held against each other.

import { basename } from 'node:path';
import { compare } from '../core/compare.ts';
import { ruleOf } from '../core/judge.ts';
import { runSetOf } from '../core/run-set.ts';
import type { ExitCode } from '../core/errors.ts';
import { readResults } from '../reports/read-many.ts';
import { failOnOf, outputs, type OutputFlags } from './comparison-output.ts';

export type CompareFlags = OutputFlags & { strict: boolean };

/** @returns the exit code: what a comparison fails on says `comparisonExitCode` */
export async function compareCommand(baselinePath: string, candidatePath: string, options: CompareFlags): Promise<ExitCode> {
  const failOn = failOnOf(options.failOn);
  const write = outputs(options);
  const baseline = await readResults(baselinePath);
  const candidate = await readResults(candidatePath);
  const [from, to] = namesOf(baselinePath, candidatePath);
  const comparison = compare(runSetOf(from, baseline), runSetOf(to, candidate), { createdAt: new Date(), rule: ruleOf({ strict: options.strict }) });
  return write(comparison, failOn, { baseline, candidate });
}

/** The last part of each path, or all of it where that does not tell them apart. */
function namesOf(a: string, b: string): [string, string] {
  const short = (path: string) => basename(path.replace(/\/(?:result\.json)?$/, '')) || path;
  return short(a) === short(b) ? [a, b] : [short(a), short(b)];
}
