// Where results live on disk: `results/<time>-<scenario>/`. The folder is made before the run starts, so that
// a full disk or a wrong path is found before the work and not after it.

import { accessSync, constants, mkdirSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exitCodes, messageOf, UserError } from '../core/errors.ts';
import type { Result } from '../core/result.ts';
import { formatBytes } from '../core/units.ts';

/** A result with a report is well below this. */
const spaceNeededBytes = 32 * 1024 ** 2;

/**
 * Makes the folder for a run.
 * @throws UserError when it cannot be made or written to, or the disk is nearly full
 */
export function createRunFolder(root: string, scenario: string, at: Date): string {
  const time = at.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  try {
    mkdirSync(root, { recursive: true });
    for (let i = 1; ; i++) {
      const folder = join(root, `${time}-${scenario}${i === 1 ? '' : `-${i}`}`);
      try {
        mkdirSync(folder);
      } catch (error) {
        // Two runs in one second: the later one gets a number.
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST' && i < 1000) continue;
        throw error;
      }
      accessSync(folder, constants.W_OK);
      requireSpace(folder);
      return folder;
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('results-folder', `Cannot write results below ${root}: ${messageOf(error)}. Choose another folder with --results DIR.`, exitCodes.failed);
  }
}

/** Removes the folder of a run that measured nothing. */
export function removeRunFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Finds out before the work whether a file can be written after it.
 * @throws UserError when its folder is missing or not to be written to, or it is a folder itself
 */
export function requireWritable(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a folder');
  } catch (error) {
    throw new UserError('write', `Cannot write ${path}: ${messageOf(error)}. Name a file in a folder that is there.`);
  }
}

/**
 * Writes a file whole or not at all.
 * @throws UserError when the disk is full or the folder is gone
 */
export function writeWhole(path: string, text: string): void {
  const part = `${path}.part`;
  try {
    writeFileSync(part, text);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw new UserError('write', `Cannot write ${path}: ${messageOf(error)}. Free some space, or choose another folder with --results DIR.`, exitCodes.failed);
  }
}

/** @returns the path of the file */
export function writeResult(folder: string, result: Result): string {
  const path = join(folder, 'result.json');
  writeWhole(path, `${JSON.stringify(result, null, 1)}\n`);
  return path;
}

function requireSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= spaceNeededBytes) return;
  removeRunFolder(folder);
  throw new UserError(
    'disk-full',
    `${formatBytes(freeBytes)} are free where results are written (${folder}), and a run needs ${formatBytes(spaceNeededBytes)}. Free some space, or choose another folder with --results DIR.`,
    exitCodes.failed,
  );
}
