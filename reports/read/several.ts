// Reads what several paths of a results folder hold, as a shell lists them for `results/*`: runs are read,
// and of all else one line says what it is and why it is left out.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/base/errors.ts';
import type { Result } from '../../core/result/result.ts';
import { comparisonHeadline } from '../comparison/words.ts';
import { refuseTooMuch, resultFiles } from './read-many.ts';
import { readComparison, readResult } from './read.ts';

export type Several = {
  runs: { path: string; result: Result }[];
  leftOut: { path: string; why: string }[];
};

/**
 * @throws UserError for a path at which there is nothing, and where the results are too large together
 */
export async function readSeveral(paths: readonly string[]): Promise<Several> {
  const all: Several = { runs: [], leftOut: [] };
  const files: string[] = [];
  for (const path of paths) {
    const why = await noRun(path);
    if (why !== undefined) all.leftOut.push({ path, why });
    else files.push(...(await runsAt(path)));
  }
  refuseTooMuch(files);
  // One after the other: each is large, and reading is not what takes time.
  for (const path of files) {
    try {
      all.runs.push({ path, result: await readResult(path) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      all.leftOut.push({ path, why: error.message });
    }
  }
  return all;
}

/** The run in the folder, or those in its folders. */
async function runsAt(path: string): Promise<string[]> {
  return existsSync(join(path, 'result.json')) ? [path] : resultFiles(path);
}

/** What a path holds that is neither a run nor a folder of runs. */
async function noRun(path: string): Promise<string | undefined> {
  if (isAbFolder(path)) {
    try {
      const comparison = await readComparison(join(path, 'comparison.json'));
      return `two arms: ${comparisonHeadline(comparison)} Their page: pushbench report ${path}`;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.message;
    }
  }
  const about = statSync(path, { throwIfNoEntry: false });
  // Reading it says that there is nothing.
  if (about === undefined) return undefined;
  if (!about.isDirectory())
    return about.isFile() && path.endsWith('.json') ? undefined : 'it is not a result of pushbench';
  if (existsSync(join(path, 'bisect.json')))
    return 'a bisection: bisect.txt in it says what was found; each step is a folder for pushbench report';
  if (existsSync(join(path, 'result.json')) || (await resultFiles(path)).length > 0) return undefined;
  return 'there is no result in it';
}

/** Of an `ab` run whose first pair was over. */
export function isAbFolder(path: string): boolean {
  return existsSync(join(path, 'comparison.json')) && existsSync(join(path, 'baseline', 'result.json'));
}
