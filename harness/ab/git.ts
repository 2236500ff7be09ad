// Runs git on a user's repository. If git refuses, the message has git's own words and the command that
// helps.

import { messageOf, UserError } from '../../core/base/errors.ts';
import { runToEnd } from '../process/child.ts';

export type Git = (...args: string[]) => Promise<string>;

/** @param signal ends git at once */
export function gitIn(folder: string, signal: AbortSignal): Git {
  // Messages are looked at, so they are asked for in the language that they are known in.
  return (...args) => runToEnd('env', ['LC_ALL=C', 'git', '-C', folder, ...args], { signal });
}

/**
 * The full name of a commit.
 * @param ref a branch, a tag or a commit
 * @throws UserError `arm` when there is none, or git does not say
 */
export async function commitCalled(ref: string, folder: string, signal: AbortSignal): Promise<string> {
  const git = gitIn(folder, signal);
  try {
    return await git('rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`);
  } catch (error) {
    signal.throwIfAborted();
    throw await whyNoCommit(ref, folder, git, messageOf(error));
  }
}

async function whyNoCommit(ref: string, folder: string, git: Git, said: string): Promise<UserError> {
  const refused = gitProblem(said, folder);
  if (refused) return refused;
  const none = `There is no commit "${ref}" in ${folder}`;
  const shallow = await git('rev-parse', '--is-shallow-repository').catch(() => '');
  if (shallow === 'true')
    return new UserError(
      'arm',
      `${none}, and this clone is shallow: it lacks older commits, other branches and tags. Get them with ` +
        '"git fetch --unshallow" (and "git fetch --tags"; in GitHub\'s actions/checkout: fetch-depth: 0).',
    );
  return new UserError(
    'arm',
    `${none}. Name a branch, a tag or a commit of this repository, or another checkout with dir:FOLDER. ` +
      'A branch that is only on the remote is called origin/NAME, after "git fetch".',
  );
}

/** Why git cannot answer at all. @param said the text that it wrote */
export function gitProblem(said: string, folder: string): UserError | undefined {
  if (/\bspawn\b.*ENOENT|env: .*git.*No such file/.test(said))
    return new UserError('git', 'git is not installed here, and commits are checked out with it.');
  const [, owned] = /detected dubious ownership in repository at '([^']*)'/.exec(said) ?? [];
  if (owned !== undefined)
    return new UserError(
      'git',
      `git does not read ${owned}, because another user owns it. If you trust it: ` +
        `git config --global --add safe.directory '${owned}'`,
    );
  if (/not a git repository/.test(said))
    return new UserError(
      'git',
      `${folder} is not a git repository (nor is a folder above it), and commits are taken from one. Go to ` +
        'the folder of your app first.',
    );
  return undefined;
}
