// Lists the commits among which the first bad one is, and picks the next to look at: git's own bisection,
// asked for without a bisection in the user's repository, so that nothing there has to be cleared away.

import type { Commit } from '../../core/comparison/bisect.ts';
import { UserError } from '../../core/base/errors.ts';
import { commitCalled, gitIn, type Git } from './git.ts';

export type Suspects = {
  /** How many may be the first bad one, the known bad one among them. */
  count: number;
  /** The commit that halves them best, skipped ones left out. */
  next: string | undefined;
  all: string[];
};

/**
 * @throws UserError when one of them is not a commit, or the bad one does not come after the good one
 */
export async function bisectionEnds(
  good: string,
  bad: string,
  folder: string,
  signal: AbortSignal,
): Promise<{ good: Commit; bad: Commit }> {
  const git = gitIn(folder, signal);
  const [from, to] = [await commitCalled(good, folder, signal), await commitCalled(bad, folder, signal)];
  if (from === to)
    throw new UserError('bisect', `${good} and ${bad} are the same commit, so nothing is between them.`);
  const comesBefore = async (a: string, b: string) => {
    const base = await git('merge-base', a, b).catch(() => '');
    signal.throwIfAborted();
    return base === a;
  };
  if (!(await comesBefore(from, to))) {
    if (await comesBefore(to, from))
      throw new UserError(
        'bisect',
        `${bad} comes before ${good}: name the good, older commit first. To find what made delivery ` +
          'better, there is no command.',
      );
    const shallow = await git('rev-parse', '--is-shallow-repository').catch(() => '');
    throw new UserError(
      'bisect',
      `${good} is not an ancestor of ${bad}. Name a good commit that ${bad} was made from` +
        (shallow === 'true'
          ? '; this clone is shallow, so it may be missing: git fetch --unshallow.'
          : `, such as the last common one: git merge-base ${good} ${bad}`),
    );
  }
  return { good: await described(from, git), bad: await described(to, git) };
}

/** @param skipped were measured, or could not be, and decided nothing */
export async function suspects(
  git: Git,
  goods: readonly string[],
  bad: string,
  skipped: ReadonlySet<string>,
): Promise<Suspects> {
  const text = await git('rev-list', '--bisect-all', bad, '--not', ...goods);
  // Best first: `SHA (dist=N)`, decorations of the commit before the distance.
  const all = text.split('\n').flatMap((line) => /^[0-9a-f]+/.exec(line)?.[0] ?? []);
  return { count: all.length, next: all.find((one) => one !== bad && !skipped.has(one)), all };
}

export async function described(commit: string, git: Git): Promise<Commit> {
  return { commit, subject: await git('log', '-1', '--format=%s', commit) };
}
