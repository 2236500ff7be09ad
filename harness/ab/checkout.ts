// Checks a commit of pushbench out beside the repository, so that its servers can run: a git worktree with
// the packages that its lock file names, gone when the run is over.

import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, UserError } from '../../core/base/errors.ts';
import { runToEnd } from '../process/child.ts';
import { commitCalled, gitIn } from './git.ts';
import { addWorktree, type CheckoutOptions } from './worktree.ts';

/**
 * Checks a commit out into a temporary folder. Where its packages are those installed here, it shares them;
 * otherwise they are installed there.
 * @returns the folder
 * @throws UserError when there is no such commit, or its packages cannot be installed
 * @throws the signal's reason when it is aborted
 */
export async function checkOut(ref: string, options: CheckoutOptions): Promise<string> {
  const { root, note, signal } = options;
  const commit = await commitCalled(ref, root, signal);
  const folder = await addWorktree(ref, commit, options);
  const git = gitIn(root, signal);
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
