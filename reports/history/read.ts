// Reads what a history is made of: results, folders of them, baseline files and folders of those. One after
// the other, keeping only readings, so that a thousand results fit into memory.

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { baselineFormat, readBaseline } from '../../core/comparison/baseline.ts';
import { UserError } from '../../core/base/errors.ts';
import { readText } from '../../core/base/read-file.ts';
import { runSetOf, type RunSet } from '../../core/comparison/run-set.ts';
import { parseResult } from '../read/read.ts';
import { mostResults, resultFiles } from '../read/read-many.ts';

/**
 * A run that was cut short, or cannot be read, is left out where a folder holds others beside it.
 * @returns what there is, the names of runs that were cut short, and why files could not be read
 * @throws UserError when a path holds nothing, or is itself something that cannot be read or a run that was
 *   cut short
 */
export async function readHistory(
  paths: readonly string[],
): Promise<{ sets: [RunSet, ...RunSet[]]; cut: string[]; unreadable: string[] }> {
  const sets: RunSet[] = [];
  const unreadable: UserError[] = [];
  const cut: { name: string; error: UserError }[] = [];
  for (const path of paths) {
    const found = await filesIn(path);
    if (found.length === 0)
      throw new UserError(
        'history-empty',
        `There is neither a result nor a baseline in ${path}. Name results, baselines, or folders of these.`,
      );
    for (const file of found) {
      try {
        sets.push(await readSet(file));
      } catch (error) {
        if (!(error instanceof UserError) || found.length === 1) throw error;
        if (error.code === 'unfinished') cut.push({ name: nameOf(file), error });
        else unreadable.push(error);
      }
    }
  }
  const [first, ...others] = sets;
  const problem = cut[0]?.error ?? unreadable[0];
  if (!first && problem) throw problem;
  if (!first)
    throw new UserError(
      'history-empty',
      'Name results, baselines, or folders of them, such as results or baselines.',
    );
  return {
    sets: [first, ...others],
    cut: cut.map(({ name }) => name),
    unreadable: unreadable.map(({ message }) => message),
  };
}

async function filesIn(path: string): Promise<string[]> {
  const results = await resultFiles(path);
  if (results.length > 0 || !(await stat(path)).isDirectory()) return results;
  const names = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
  if (names.length > mostResults) {
    const message =
      `${path} holds ${names.length} files, and at most ${mostResults} ` +
      'are read at once. Name a folder with fewer.';
    throw new UserError('history-folder', message);
  }
  return names.map((name) => join(path, name));
}

function nameOf(file: string): string {
  return basename(file) === 'result.json' ? basename(dirname(file)) : basename(file, '.json');
}

async function readSet(file: string): Promise<RunSet> {
  // A baseline says what it is at its start; reading a result whole twice would take twice as long.
  const text = readText(file, 'result', { code: 'history-file', what: `Cannot read ${file}` });
  return text.slice(0, 200).includes(`"${baselineFormat}"`)
    ? readBaseline(text, file).runs
    : runSetOf(nameOf(file), [parseResult(text, file)]);
}
