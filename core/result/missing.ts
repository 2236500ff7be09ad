// Says what is missing from the result of a run that did not go to its end, and keeps
// gates from deciding on it.

import { exitCodes, UserError } from '../base/errors.ts';
import type { Planned, Result } from './result.ts';
import { counted } from '../base/counted.ts';
import { listNames } from '../base/suggest.ts';
import { formatNumber } from '../base/units.ts';

export type MissingTrial = Planned['trials'][number] & {
  /** `sse`, or `sse (trial 2)` where the run repeats its trials. */
  name: string;
};

export type Missing = {
  trials: MissingTrial[];
  /** Searches that were not begun, or cut off. */
  searches: { variant: string; what: string; begun: boolean }[];
  afterwards: Planned['afterwards'];
};

type Cut = Pick<Result, 'planned' | 'state' | 'trials' | 'searches' | 'closedLoop' | 'chromium'>;

/** More names than this are counted. */
const namesListed = 3;
const afterwardsWords: Readonly<Record<Planned['afterwards'][number], string>> = {
  closedLoop: 'the closed loop',
  chromium: 'the pages in Chromium',
};

/**
 * What was planned and not measured. Nothing is missing where the run went to its end, or where its version
 * did not store a plan.
 */
export function missingFrom({ planned, state, trials, searches = [], ...rest }: Cut): Missing {
  if (state.kind === 'finished' || planned === undefined) return { trials: [], searches: [], afterwards: [] };
  const there = new Set(trials.map(({ variant, repetition }) => `${repetition} ${variant.label}`));
  const repeats = planned.trials.some(({ repetition }) => repetition > 1);
  return {
    trials: planned.trials
      .filter(({ variant, repetition }) => !there.has(`${repetition} ${variant}`))
      .map((trial) => ({
        ...trial,
        name: repeats ? `${trial.variant} (trial ${trial.repetition})` : trial.variant,
      })),
    searches: planned.searches.flatMap(({ variant, what }) => {
      const found = searches.find((one) => one.variant === variant && one.what === what);
      return found?.over ? [] : [{ variant, what, begun: found !== undefined }];
    }),
    afterwards: planned.afterwards.filter((name) => rest[name] === undefined),
  };
}

/**
 * How a run was cut short, and what is missing from it.
 * @returns one sentence; `undefined` for a whole run
 */
export function cutShortText(result: Cut): string | undefined {
  const { state, planned } = result;
  if (state.kind === 'finished') return undefined;
  const missing = missingParts(missingFrom(result), planned?.trials.length ?? 0);
  return `${endWords(state)}${missing === '' ? '' : `; ${missing}`}.`;
}

function endWords(state: Exclude<Result['state'], { kind: 'finished' }>): string {
  switch (state.kind) {
    case 'interrupted':
      return `The run was interrupted (${state.by}) before its end`;
    case 'failed':
      return `The run failed before its end (${state.why})`;
    case 'unfinished':
      return 'The run did not end: it was killed, or it is still going on';
  }
}

function missingParts({ trials, searches, afterwards }: Missing, of: number): string {
  const list = (what: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${what}: ${listNames(names, namesListed)}`];
  const searchName = ({ variant, what }: Missing['searches'][number]) => `${variant} (${what})`;
  return [
    ...list(
      `${formatNumber(trials.length)} of ${counted(of, 'trial')} missing`,
      trials.map(({ name }) => name),
    ),
    ...list('searches cut off', searches.filter(({ begun }) => begun).map(searchName)),
    ...list('searches not begun', searches.filter(({ begun }) => !begun).map(searchName)),
    ...list(
      'not measured',
      afterwards.map((name) => afterwardsWords[name]),
    ),
  ].join('; ');
}

/**
 * Keeps anything from being decided on half a run.
 * @param name what the message calls the result
 * @throws UserError `unfinished`, exit code 4, with what is missing
 */
export function requireFinished(name: string, result: Cut & Pick<Result, 'createdAt'>): void {
  const text = cutShortText(result);
  if (text === undefined) return;
  throw new UserError(
    'unfinished',
    `${name} (of ${result.createdAt.slice(0, 19).replace('T', ' ')}) is not a whole run, so nothing is ` +
      `decided on it. ${text} Run the scenario again; pushbench report shows what there is.`,
    exitCodes.invalid,
  );
}
