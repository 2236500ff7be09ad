// Checks a commit of pushbench out beside the repository, so that its servers can run: a git worktree with
// the packages that its lock file names, gone when the run is over.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UserError } from '../../core/base/errors.ts';
import { runAtOnce, runToEnd } from '../process/child.ts';

export type CheckoutOptions = {
  /** Of the repository. */
  root: string;
  /** Called at the end, whatever happened. */
  cleanUp(action: () => void): void;
  note(text: string): void;
  /** Ends git or npm, whichever is running. */
  signal: AbortSignal;
};

/** Removing a worktree is a matter of files. */
const removeLimitMs = 1000;

/**
 * Checks a commit out into a temporary folder. Where its packages are those installed here, it shares them;
 * otherwise they are installed there.
 * @returns the folder
 * @throws UserError when there is no such commit, or its packages cannot be installed
 * @throws the signal's reason when it is aborted
 */
export async function checkOut(
  ref: string,
  { root, cleanUp, note, signal }: CheckoutOptions,
): Promise<string> {
  const git = (...args: string[]) => runToEnd('git', ['-C', root, ...args], { signal });
  let commit: string;
  try {
    commit = await git('rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`);
  } catch {
    signal.throwIfAborted();
    throw new UserError(
      'arm',
      `There is no commit "${ref}" in ${root}. Name a branch, a tag or a commit of this repository, or ` +
        'another checkout with dir:FOLDER.',
    );
  }
  const parent = mkdtempSync(join(tmpdir(), 'pushbench-ab-'));
  const folder = join(parent, 'checkout');
  cleanUp(() => {
    // Twice by force: where git was interrupted the worktree is locked.
    try {
      runAtOnce('git', ['-C', root, 'worktree', 'remove', '--force', '--force', folder], {
        timeoutMs: removeLimitMs,
      });
    } catch {
      // It was never added, or somebody removed it.
    }
    rmSync(parent, { recursive: true, force: true });
  });
  try {
    await git('worktree', 'add', '--detach', folder, commit);
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError('arm', `Cannot check out ${ref}: ${messageOf(error)}.`);
  }
  if ((await git('diff', '--name-only', commit, '--', 'package-lock.json')) === '') {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  }
  note(
    `${ref} was written for other packages than those installed here: installing what its ` +
      'package-lock.json names.',
  );
  try {
    await runToEnd(
      'npm',
      ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      { cwd: folder, signal },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError(
      'arm',
      `Cannot install the packages of ${ref}: ${messageOf(error).trim()}. Check it out by hand, install ` +
        'there, and name it with dir:FOLDER.',
    );
  }
  return folder;
}
