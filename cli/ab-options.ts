// Reads the options that `ab` and `bisect` share, and writes the command that repeats an `ab` run.

import { UserError } from '../core/base/errors.ts';
import { parseDurationMs } from '../core/base/units.ts';
import type { OutputFlags } from './comparison-output.ts';
import { quoted } from '../core/base/quoted.ts';

export type AbFlags = OutputFlags & {
  scenario: string;
  set: string[];
  results: string;
  quiet: boolean;
  strict: boolean;
  extend: boolean;
  pairs?: string;
  budget?: string;
  injectA?: string;
  injectB?: string;
  target?: string;
  start?: string;
  install?: string;
  app: string;
};

const mostPairs = 500;

export function pairsOf(text: string): number {
  const pairs = Number(text);
  if (Number.isInteger(pairs) && pairs >= 1 && pairs <= mostPairs) return pairs;
  throw new UserError(
    'pairs',
    `--pairs ${text} is not possible: give a whole number up to ${mostPairs}, or leave it out.`,
  );
}

export function budgetOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UserError('budget', `--budget ${text} is not a duration. Write it like 10m.`);
}

export function commandOf(
  a: string,
  b: string,
  { scenario, set, strict, extend, pairs, budget, injectA, injectB, target, ...flags }: AbFlags,
  invocation: string,
): string {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [name, value]);
  return [
    invocation,
    'ab',
    a,
    b,
    '--scenario',
    scenario,
    ...set.flatMap((one) => ['--set', one]),
    ...option('--pairs', pairs),
    ...option('--budget', budget),
    ...option('--inject-a', injectA),
    ...option('--inject-b', injectB),
    ...option('--target', target),
    ...option('--start', flags.start),
    ...option('--install', flags.install),
    ...(flags.app === '.' ? [] : ['--app', flags.app]),
    ...(strict ? ['--strict'] : []),
    ...(extend ? ['--extend'] : []),
  ]
    .map(quoted)
    .join(' ');
}
