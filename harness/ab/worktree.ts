// Adds a git worktree of a commit in a temporary folder, and removes it when the run is over, however it
// ends. The user's own working tree is not touched.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UserError } from '../../core/base/errors.ts';
import { runAtOnce } from '../process/child.ts';
import { gitIn, gitProblem } from './git.ts';

export type CheckoutOptions = {
  /** Of the repository, or a folder in it. */
  root: string;
  /** Called at the end, whatever happened. */
  cleanUp(action: () => void): void;
  note(text: string): void;
  /** Ends git or npm, whichever is running. */
  signal: AbortSignal;
};

/** Only git's own entry of the worktree is left to be removed. */
const removeLimitMs = 1000;

/**
 * @param ref what messages call the commit
 * @returns the folder of the worktree
 * @throws UserError when git cannot make it; the signal's reason when it is aborted
 */
export async function addWorktree(
  ref: string,
  commit: string,
  { root, cleanUp, signal }: CheckoutOptions,
): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'pushbench-ab-'));
  const folder = join(parent, 'checkout');
  cleanUp(() => {
    // Files first, as a large repository has more of them than the limit gives git time for.
    rmSync(parent, { recursive: true, force: true });
    // Twice by force: where git was interrupted the worktree is locked.
    try {
      runAtOnce('git', ['-C', root, 'worktree', 'remove', '--force', '--force', folder], {
        timeoutMs: removeLimitMs,
      });
    } catch {
      // It was never added, or somebody removed it.
    }
  });
  try {
    await gitIn(root, signal)('worktree', 'add', '--detach', folder, commit);
  } catch (error) {
    signal.throwIfAborted();
    const said = messageOf(error);
    throw gitProblem(said, root) ?? new UserError('arm', `Cannot check out ${ref}: ${said}.`);
  }
  return folder;
}
