// Implements `pushbench baseline save | list | check`: keeps baselines as small files in a folder of the
// repository.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '../core/base/counted.ts';
import {
  checkedBaselineName,
  readBaseline,
  writeBaseline,
  type Baseline,
} from '../core/comparison/baseline.ts';
import { compare } from '../core/comparison/compare-runs.ts';
import { exitCodes, messageOf, UserError, type ExitCode } from '../core/base/errors.ts';
import { oneLine } from '../core/base/printable.ts';
import { tryReadText } from '../core/base/read-file.ts';
import { originText } from '../core/comparison/origin.ts';
import { ruleOf } from '../core/comparison/judge.ts';
import { countsAtAll } from '../core/comparison/reading.ts';
import { runSetOf, type RunSet } from '../core/comparison/run-set.ts';
import { listNames, nearest } from '../core/base/suggest.ts';
import { formatNumber } from '../core/base/units.ts';
import { makeFolder, writeWhole } from '../harness/run/store.ts';
import { readResults } from '../reports/read/read-many.ts';
import type { CompareFlags } from './compare.ts';
import { complain, print } from './print.ts';
import { failOnOf, outputs } from './comparison-output.ts';

export type BaselineFlags = { dir: string };

/** Saves the runs of results under a name; an earlier one of that name is replaced. */
export async function saveBaseline(given: string, path: string, { dir }: BaselineFlags): Promise<ExitCode> {
  const name = checkedBaselineName(given);
  const all = runSetOf(name, await readResults(path));
  const { runs, leftOut } = countedOf(all);
  if (all.variants.length === 0)
    throw new UserError(
      'baseline-runs',
      `${path} holds no trial, so there is nothing to compare with a candidate. Run the scenario again.`,
    );
  if (runs.variants.length === 0)
    throw new UserError(
      'baseline-runs',
      `No trial of ${listNames(all.variants.map(({ label }) => label))} in ${path} has a valid ` +
        'figure, so there is nothing to compare with a candidate. Run the scenario again.',
    );
  const file = fileOf(dir, name);
  const text = writeBaseline(runs, new Date());
  try {
    makeFolder(dir);
  } catch (error) {
    throw new UserError(
      'baseline-folder',
      `Cannot make the folder ${dir}: ${messageOf(error)}. Choose another with --dir.`,
      exitCodes.failed,
    );
  }
  writeWhole(file, text, 'Free some space, or choose another folder with --dir.');
  print(`Saved ${runsText(runs)} of ${runs.scenario.name} as ${file} (${formatNumber(text.length)} bytes).`);
  for (const line of leftOut) complain(`Left out: ${line}`);
  return exitCodes.ok;
}

/** The runs that have a valid figure, and a line for each of the others. */
function countedOf(runs: RunSet): { runs: RunSet; leftOut: string[] } {
  const leftOut: string[] = [];
  const variants = runs.variants.flatMap(({ label, runs: own }) => {
    const counted = own.filter((run) => countsAtAll(run) && Object.keys(run.values).length > 0);
    for (const { repetition, why } of own.filter((run) => !counted.includes(run)))
      leftOut.push(
        `trial ${repetition} of ${label} has no valid figure` +
          (why.length === 0 ? '.' : ` (${listNames(why)}).`),
      );
    return counted.length === 0 ? [] : [{ label, runs: counted }];
  });
  return { runs: { ...runs, variants }, leftOut };
}

export function listBaselines({ dir }: BaselineFlags): ExitCode {
  const names = namesIn(dir);
  if (names.length === 0) {
    print(`There is no baseline in ${dir}. Save one with: pushbench baseline save NAME RESULT`);
    return exitCodes.ok;
  }
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) {
    const { runs } = open(dir, name);
    print(
      oneLine(
        `${name.padEnd(width)}  ${runs.scenario.name}, ${runsText(runs)}, ${originText(runs)} ` +
          `${runs.createdAt.slice(0, 16).replace('T', ' ')} on ${runs.environment.cpu}` +
          (runs.environment.commit === null ? '' : ` at ${runs.environment.commit}`),
      ),
    );
  }
  return exitCodes.ok;
}

/** Compares results with a baseline, by the gates of their own scenario. */
export async function checkBaseline(
  name: string,
  path: string,
  options: BaselineFlags & CompareFlags,
): Promise<ExitCode> {
  const failOn = failOnOf(options.failOn);
  const write = outputs(options);
  const { runs } = open(options.dir, name);
  const candidate = await readResults(path);
  const comparison = compare(runs, runSetOf(path, candidate), {
    createdAt: new Date(),
    rule: ruleOf({ strict: options.strict }),
    simulatedToo: options.simulatedToo,
  });
  return write(comparison, failOn, { baseline: [], candidate });
}

function runsText({ variants }: Baseline['runs']): string {
  const runs = variants.reduce((sum, { runs: own }) => sum + own.length, 0);
  return `${counted(runs, 'run')} of ${counted(variants.length, 'variant')}`;
}

function fileOf(dir: string, name: string): string {
  return join(dir, `${name}.json`);
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  } catch {
    return []; // no folder, no baselines
  }
}

function open(dir: string, given: string): Baseline {
  const name = checkedBaselineName(given);
  const file = fileOf(dir, name);
  const read = tryReadText(file, 'baseline');
  if (!('text' in read)) {
    const names = namesIn(dir);
    if (names.includes(name))
      throw new UserError('baseline-file', `Cannot read the baseline ${file}: ${read.why}.`);
    const near = nearest(name, names);
    const known =
      names.length === 0
        ? `there is none in ${dir}. Save one with: pushbench baseline save ${name} RESULT`
        : `there are: ${listNames(names)}`;
    throw new UserError(
      'baseline-name',
      `There is no baseline "${name}"; ${near ? `did you mean "${near}"?` : known}`,
    );
  }
  return readBaseline(read.text, file);
}
