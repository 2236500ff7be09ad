// Lists the runs in a results folder for `pushbench open`: which there are, what each says in short, and
// their files. A name from outside is only ever compared with what the folder lists; it never becomes part of
// a path.

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Comparison } from '../../core/comparison/comparison-result.ts';
import { messageOf, UserError } from '../../core/base/errors.ts';
import { missingFrom } from '../../core/result/missing.ts';
import { tryReadText, type ReadKind } from '../../core/base/read-file.ts';
import type { Result } from '../../core/result/result.ts';
import { wholeWord } from '../comparison/verdict-words.ts';
import { comparisonHeadline } from '../comparison/words.ts';
import { headlineOf } from '../summary/headline.ts';
import { expectationsTitle, expectedOf } from '../summary/notices.ts';
import { parseComparison, parseResult } from '../read/read.ts';

/** The newest of so many runs are listed. */
export const runsListed = 200;
/** The code of the error for a file that is too large to be read. */
export const tooLarge = 'file-too-large';

export type RunSummary = {
  name: string;
  createdAt: Date;
} & (
  | {
      status: 'read';
      scenario: string;
      headline: string;
      trials: number;
      /** Trials of which nothing is void. */
      valid: number;
      /** How the expectations stand, in words; empty without any. */
      expectations: string;
      /** All held. */
      held: boolean;
      missing: number;
      whole: boolean;
      simulated: boolean;
    }
  /** What `ab` stored: two arms and their comparison. */
  | {
      status: 'compared';
      scenario: string;
      headline: string;
      baseline: string;
      candidate: string;
      verdict: Comparison['verdict'];
      /** The verdict as people read it. */
      word: string;
      counted: number;
      given: number;
      of: 'pairs' | 'runs';
    }
  /** The file is there, but cannot be read as a result; `problem` says why. */
  | { status: 'unreadable'; problem: string }
);

export type Archive = {
  /** Newest first. */
  list(): Promise<{ runs: RunSummary[]; more: number }>;
  /** @returns `undefined` when there is no such run @throws UserError when its result cannot be read */
  result(name: string): Promise<Result | undefined>;
  /**
   * @returns `undefined` when there is no such run, or it is none of `ab`
   * @throws UserError when it cannot be read
   */
  comparison(name: string): Promise<{ text: string; comparison: Comparison } | undefined>;
  /**
   * One side of what `ab` stored.
   * @returns `undefined` when there is none
   * @throws UserError when it cannot be read
   */
  arm(name: string, side: 'baseline' | 'candidate'): Promise<Result | undefined>;
  /** The text of a file that a run wrote. @returns `undefined` when there is none */
  file(name: string, file: 'report.html' | 'result.json'): Promise<string | undefined>; // as `result`
};

/** @param root a results folder, or the folder of one run */
export function openArchive(root: string): Archive {
  // A summary takes decoding every histogram; a file that did not change says the same again.
  const summaries = new Map<string, { stamp: string; summary: RunSummary }>();

  /** Folders that hold a result, by name; links are left alone, for they lead elsewhere. */
  async function folders(): Promise<Map<string, string>> {
    const single =
      (await fileStat(join(root, 'result.json'))) || (await fileStat(join(root, 'comparison.json')))
        ? [{ name: basename(root), parent: dirname(root) }]
        : undefined;
    const entries =
      single ??
      (await readdir(root, { withFileTypes: true }))
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => ({ name, parent: root }));
    return new Map(entries.map(({ name, parent }) => [name, join(parent, name)]));
  }

  async function summary(name: string, folder: string, modifiedAt: Date, stamp: string): Promise<RunSummary> {
    const known = summaries.get(name);
    if (known?.stamp === stamp) return known.summary;
    const fresh = await summarize(name, folder, modifiedAt);
    summaries.delete(name);
    summaries.set(name, { stamp, summary: fresh });
    // It has a first: it is full.
    if (summaries.size > runsListed) summaries.delete(summaries.keys().next().value!);
    return fresh;
  }

  return {
    async list() {
      const dated = await Promise.all(
        [...(await folders())].map(async ([name, folder]) => {
          const about =
            (await fileStat(join(folder, 'result.json'))) ??
            (await fileStat(join(folder, 'comparison.json')));
          return about
            ? [{ name, folder, modifiedAt: about.mtime, stamp: `${about.mtimeMs} ${about.size}` }]
            : [];
        }),
      );
      const newest = dated.flat().sort((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime());
      const runs: RunSummary[] = [];
      for (const { name, folder, modifiedAt, stamp } of newest.slice(0, runsListed))
        runs.push(await summary(name, folder, modifiedAt, stamp));
      runs.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
      return { runs, more: Math.max(0, newest.length - runsListed) };
    },
    async result(name) {
      const text = await this.file(name, 'result.json');
      return text === undefined ? undefined : parseResult(text, `${name}/result.json`);
    },
    async comparison(name) {
      const folder = (await folders()).get(name);
      if (folder === undefined || (await fileStat(join(folder, 'result.json')))) return undefined;
      const text = readOwn(join(folder, 'comparison.json'), 'comparison');
      return text === undefined
        ? undefined
        : { text, comparison: parseComparison(text, `${name}/comparison.json`) };
    },
    async arm(name, side) {
      const folder = (await folders()).get(name);
      // The folder of an arm may be a link itself.
      if (
        folder === undefined ||
        !(await readdir(folder, { withFileTypes: true })).some(
          (entry) => entry.name === side && entry.isDirectory(),
        )
      )
        return undefined;
      const text = readOwn(join(folder, side, 'result.json'), 'result');
      return text === undefined ? undefined : parseResult(text, `${name}/${side}/result.json`);
    },
    async file(name, file) {
      const folder = (await folders()).get(name);
      return folder === undefined
        ? undefined
        : readOwn(join(folder, file), file === 'result.json' ? 'result' : 'report');
    },
  };
}

async function summarize(name: string, folder: string, modifiedAt: Date): Promise<RunSummary> {
  try {
    if (!(await fileStat(join(folder, 'result.json')))) return await summarizeComparison(name, folder);
    const text = readOwn(join(folder, 'result.json'), 'result');
    if (text === undefined) throw new Error('result.json is a link, or not a file');
    const result = parseResult(text, 'result.json');
    const { createdAt, scenario, trials, state } = result;
    const expected = expectedOf([result]);
    return {
      name,
      createdAt: new Date(createdAt),
      status: 'read',
      scenario: scenario.name,
      headline: headlineOf([result]),
      trials: trials.length,
      valid: trials.filter(({ outcome }) => outcome.valid).length,
      expectations: expected.length === 0 ? '' : expectationsTitle(expected),
      held: expected.every(({ verdict }) => verdict === 'held'),
      missing: missingFrom(result).trials.length,
      whole: state.kind === 'finished',
      simulated: result.simulated !== undefined,
    };
  } catch (error) {
    return { name, createdAt: modifiedAt, status: 'unreadable', problem: messageOf(error) };
  }
}

async function summarizeComparison(name: string, folder: string): Promise<RunSummary> {
  const text = readOwn(join(folder, 'comparison.json'), 'comparison');
  if (text === undefined) throw new Error('comparison.json is a link, or not a file');
  const comparison = parseComparison(text, 'comparison.json');
  const { createdAt, scenario, verdict, baseline, candidate, variants } = comparison;
  const sum = (of: (judged: Comparison['variants'][number]) => number) =>
    variants.reduce((total, judged) => total + of(judged), 0);
  return {
    name,
    createdAt: new Date(createdAt),
    status: 'compared',
    scenario,
    verdict,
    word: wholeWord(comparison),
    baseline: baseline.name,
    candidate: candidate.name,
    headline: comparisonHeadline(comparison),
    counted: sum(({ counted }) => counted),
    given: sum(({ given }) => given),
    of: variants.every(({ paired }) => paired) ? 'pairs' : 'runs',
  };
}

/**
 * @returns `undefined` when there is no such file, or it is a link
 * @throws UserError when there is a file that is not read, `tooLarge` for its size
 */
function readOwn(path: string, kind: ReadKind): string | undefined {
  const read = tryReadText(path, kind, { followLinks: false });
  if ('text' in read) return read.text;
  if (read.fault === 'missing' || read.fault === 'no-file') return undefined;
  throw new UserError(
    read.fault === 'too-large' ? tooLarge : 'file',
    `${basename(path)} is not read: ${read.why}.`,
  );
}

/** Facts about a file, also behind a link; links are told apart when they are read. */
async function fileStat(path: string) {
  const about = await stat(path).catch(() => undefined);
  return about?.isFile() ? about : undefined;
}
