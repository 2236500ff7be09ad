// Reads results where several may stand: a result file, a run's folder, or a folder of runs.

import { statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../../core/base/errors.ts';
import type { Result } from '../../core/result/result.ts';
import { formatBytes } from '../../core/base/units.ts';
import { readResult } from './read.ts';

/** More results than this are hardly meant. */
export const mostResults = 1000;
/** All that are read at once stay in memory, in about three times the room of their text. */
const mostBytesTogether = 512 * 1024 ** 2;

/**
 * The results at a path, oldest first.
 * @throws UserError when there is none, or one cannot be read
 */
export async function readResults(path: string): Promise<[Result, ...Result[]]> {
  const files = await resultFiles(path);
  const results = await readEach(files);
  const [first, ...others] = results.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  if (!first)
    throw new UserError(
      'result-folder',
      `There is no result in ${path}: neither a result.json nor folders that hold one. Name what a run ` +
        'wrote, such as results/2026-01-02-103000-compare.',
    );
  return [first, ...others];
}

/**
 * The results in files or folders of runs, in that order.
 * @throws UserError when one cannot be read, or all together take more memory than there may be
 */
export async function readEach(paths: readonly string[]): Promise<Result[]> {
  refuseTooMuch(paths);
  const results = [];
  // One after the other: each is large, and reading is not what takes time.
  for (const path of paths) results.push(await readResult(path));
  return results;
}

/** @throws UserError when all together take more memory than there may be */
export function refuseTooMuch(paths: readonly string[]): void {
  const bytes = paths.reduce((sum, path) => sum + sizeOf(path), 0);
  if (bytes > mostBytesTogether) {
    const [all, most] = [formatBytes(bytes), formatBytes(mostBytesTogether)];
    throw new UserError(
      'result-size',
      `These ${paths.length} results have ${all} together, and at most ${most} are read at once. Name fewer.`,
    );
  }
}

/** 0 where there is nothing: reading it says so. */
function sizeOf(path: string): number {
  try {
    const about = statSync(path);
    return (about.isDirectory() ? statSync(join(path, 'result.json')) : about).size;
  } catch {
    return 0;
  }
}

/**
 * The result files at a path: itself, the one in it, or those in its folders; none where it
 * is a folder without any.
 * @throws UserError when there is nothing at the path, or too much
 */
export async function resultFiles(path: string): Promise<string[]> {
  let names: string[];
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    names = await readdir(path);
  } catch (error) {
    throw new UserError(
      'result-file',
      `Cannot read a result at ${path}: ${messageOf(error)}. Name a result.json, the folder that a run ` +
        'wrote, or a folder of such folders.',
    );
  }
  if (names.includes('result.json')) return [join(path, 'result.json')];
  const found = await Promise.all(
    names.sort().map(async (name) => {
      const file = join(path, name, 'result.json');
      return (await stat(file).catch(() => undefined))?.isFile() ? [file] : [];
    }),
  );
  const files = found.flat();
  if (files.length > mostResults)
    throw new UserError(
      'result-folder',
      `${path} holds ${files.length} results, and at most ${mostResults} ` +
        'are read at once. Name a folder with fewer.',
    );
  return files;
}
