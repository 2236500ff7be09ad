// Keeps results on disk: `results/<time>-<scenario>/`. The folder is made before the run starts, so that a
// full disk or a wrong path is found before the work and not after it.

import {
  accessSync,
  constants,
  mkdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { exitCodes, messageOf, UserError } from '../../core/base/errors.ts';
import type { Result } from '../../core/result/result.ts';
import { formatBytes } from '../../core/base/units.ts';
import { markFolder } from './run-mark.ts';

/** A result with a report is well below this. */
const spaceNeededBytes = 32 * 1024 ** 2;
/** Runs of one scenario that can start within a second. */
const mostInOneSecond = 1000;

/**
 * Makes the folder for a run, with its mark.
 * @throws UserError when it cannot be made or written to, or the disk is nearly full
 */
export function createRunFolder(root: string, scenario: string, at: Date): string {
  const time = at.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  try {
    makeFolder(root);
    for (let i = 1; ; i++) {
      const folder = join(root, `${time}-${scenario}${i === 1 ? '' : `-${i}`}`);
      try {
        mkdirSync(folder);
      } catch (error) {
        // Two runs in one second: the later one gets a number.
        if (isCode(error, 'EEXIST') && i < mostInOneSecond) continue;
        throw error;
      }
      accessSync(folder, constants.W_OK);
      requireSpace(folder);
      markFolder(folder, at);
      return folder;
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      'results-folder',
      `Cannot write results below ${root}: ${messageOf(error)}. Choose another folder with --results DIR.`,
      exitCodes.failed,
    );
  }
}

/**
 * Makes a folder and those above it that are missing. Node's own `recursive` goes on for ever where the
 * system answers ENOENT below a folder that is there, as /proc does.
 * @throws the system's error
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let at = path; !statSync(at, { throwIfNoEntry: false }); at = dirname(at)) {
    missing.unshift(at);
    if (dirname(at) === at) break;
  }
  for (const folder of missing) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another run was quicker.
      if (!isCode(error, 'EEXIST') || !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
        throw error;
    }
  }
  if (!statSync(path).isDirectory()) throw new Error(`${path} is not a folder`);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Removes the folder of a run that measured nothing. */
export function removeRunFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Finds out before the work whether a file can be written after it, by trying.
 * @throws UserError when its folder is missing or not to be written to, or it is a folder itself
 */
export function requireWritable(path: string): void {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw new Error('it is a folder');
    if (there && !there.isFile()) return accessSync(path, constants.W_OK);
    const part = `${path}.part`;
    writeFileSync(part, '');
    rmSync(part);
  } catch (error) {
    throw new UserError(
      'write',
      `Cannot write ${path}: ${messageOf(error)}. Name a file in a folder that is there.`,
    );
  }
}

const freeSpace = 'Free some space, or choose another folder with --results DIR.';

/**
 * Writes a file whole or not at all. What is not a file, such as /dev/stdout, is written to as it is.
 * @param advice what to do where it cannot be written
 * @throws UserError when the disk is full, the folder is gone or read-only
 */
export function writeWhole(path: string, text: string, advice = freeSpace): void {
  const part = `${path}.part`;
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there && !there.isFile() && !there.isDirectory()) return writeFileSync(path, text);
    writeFileSync(part, text);
    renameSync(part, path);
  } catch (error) {
    try {
      rmSync(part, { force: true });
    } catch {
      // The folder is read-only by now.
    }
    throw new UserError('write', `Cannot write ${path}: ${messageOf(error)}. ${advice}`, exitCodes.failed);
  }
}

export function resultText(result: Result): string {
  return `${JSON.stringify(result, null, 1)}\n`;
}

function requireSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= spaceNeededBytes) return;
  removeRunFolder(folder);
  throw new UserError(
    'disk-full',
    `${formatBytes(freeBytes)} are free where results are written (${folder}), and a run needs ` +
      `${formatBytes(spaceNeededBytes)}. Free some space, or choose another folder with --results DIR.`,
    exitCodes.failed,
  );
}
