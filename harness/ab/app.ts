// Checks a commit of the user's own app out, so that it can be started there: a worktree with the packages
// that its lock file names, or with whatever the user's own install command leaves.

import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/base/errors.ts';
import { startTree } from '../process/child.ts';
import { asBlock, keepLastLines } from '../process/last-lines.ts';
import { commitCalled, gitIn } from './git.ts';
import { addWorktree, type CheckoutOptions } from './worktree.ts';

export type AppCommit = {
  /** As the user named it. */
  ref: string;
  /** Its full name. */
  commit: string;
};

/** An app in its folder, ready to be started there. */
export type AppFolder = { folder: string; commit: string };

const lockFiles = ['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock'];
const npmLocks = new Set(lockFiles.slice(0, 2));

/** @throws UserError when there is no such commit in the repository of this folder */
export async function appCommit(
  ref: string,
  { root, signal }: Pick<CheckoutOptions, 'root' | 'signal'>,
): Promise<AppCommit> {
  return { ref, commit: await commitCalled(ref, root, signal) };
}

/**
 * Checks the commit out. Where its lock file equals the one in the user's folder, it shares the packages
 * installed here; where it differs, npm installs its packages.
 * @param install a command that is run in the checkout instead, to install and build
 * @returns the folder that answers to the user's own, which may lie below the repository's root
 * @throws UserError when it cannot be checked out or installed
 */
export async function checkOutApp(
  { ref, commit }: AppCommit,
  install: string | undefined,
  options: CheckoutOptions,
): Promise<AppFolder> {
  const { root, note, signal } = options;
  const git = gitIn(root, signal);
  const top = await git('rev-parse', '--show-toplevel');
  const inRepository = await git('rev-parse', '--show-prefix');
  const worktree = await addWorktree(ref, commit, options);
  const folder = join(worktree, inRepository);
  if (!existsSync(folder))
    throw new UserError('arm', `${ref} has no folder ${inRepository}, where you are now.`);
  if (install !== undefined) {
    await runInstall(install, ref, folder, signal);
    return { folder, commit };
  }
  for (const [from, to] of new Map([
    [top, worktree],
    [root, folder],
  ])) {
    if (existsSync(join(to, 'node_modules'))) continue; // it is in the repository
    const changed = await git('-C', from, 'diff', '--name-only', commit, '--', ...lockFiles);
    const [lock] = changed === '' ? [] : changed.split('\n');
    if (lock === undefined) {
      if (existsSync(join(from, 'node_modules')))
        symlinkSync(join(from, 'node_modules'), join(to, 'node_modules'));
      continue;
    }
    const name = lock.slice(lock.lastIndexOf('/') + 1);
    if (!npmLocks.has(name) || !existsSync(join(to, name)))
      throw new UserError(
        'install',
        `${ref} was written for other packages than those installed here (${lock} differs). Say how to ` +
          "install them in a checkout, with --install 'COMMAND'.",
      );
    note(`${ref} was written for other packages than those installed here: npm ci.`);
    await runInstall('npm ci --no-audit --no-fund --loglevel=error', ref, to, signal);
  }
  return { folder, commit };
}

async function runInstall(command: string, ref: string, cwd: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const tree = startTree('/bin/sh', ['-c', command], { cwd, stdio: 'pipe' });
  const lastLines = keepLastLines([tree.child.stdout, tree.child.stderr]);
  const onAbort = () => tree.signal('SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  const how = await tree.gone;
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  if (tree.child.exitCode === 0) return;
  throw new UserError(
    'install',
    `In ${ref}, ${JSON.stringify(command)} failed (${how}).${asBlock(lastLines())}`,
  );
}
