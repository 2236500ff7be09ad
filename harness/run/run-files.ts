// Writes what a run leaves: into its folder, or, from the moment when that can no longer be written to, into
// a folder of the temporary directory, so that nothing that was measured is lost.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { messageOf, UserError } from '../../core/base/errors.ts';
import { makeFolder, writeWhole } from './store.ts';

export type RunFiles = {
  /**
   * Writes a file whole or not at all.
   * @param name may hold a folder
   * @returns its path, or `undefined` where it could be written nowhere
   */
  write(name: string, text: string): string | undefined;
  /** Why the run's folder cannot be written to; the first such problem. */
  problem(): UserError | undefined;
  /** Where the files are that had to go elsewhere, or why they are nowhere. */
  elsewhere(): { folder: string } | { nowhere: string } | undefined;
};

/** @param folder of the run */
export function openRunFiles(folder: string): RunFiles {
  let problem: UserError | undefined;
  let elsewhere: { folder: string } | { nowhere: string } | undefined;

  function writeBelow(parent: string, name: string, text: string): string {
    const path = join(parent, name);
    try {
      if (name !== basename(name)) makeFolder(dirname(path));
    } catch (error) {
      throw new UserError('write', `Cannot write ${path}: ${messageOf(error)}.`);
    }
    writeWhole(path, text);
    return path;
  }

  return {
    write(name, text) {
      if (!problem) {
        try {
          return writeBelow(folder, name, text);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          problem = error;
        }
      }
      try {
        elsewhere ??= { folder: mkdtempSync(join(tmpdir(), `pushbench-${basename(folder)}-`)) };
        return 'folder' in elsewhere ? writeBelow(elsewhere.folder, name, text) : undefined;
      } catch (error) {
        elsewhere = { nowhere: messageOf(error) };
        return undefined;
      }
    },
    problem: () => problem,
    elsewhere: () => elsewhere,
  };
}

/** What a reader has to know of files that had to go elsewhere. */
export function elsewhereLines(files: RunFiles): string[] {
  const elsewhere = files.elsewhere();
  if (!elsewhere) return [];
  return 'folder' in elsewhere
    ? [`All that was measured is in ${elsewhere.folder} instead.`]
    : [
        `It cannot be kept in the temporary folder either: ${elsewhere.nowhere}. ` +
          'What was printed is all there is.',
      ];
}
