// Decides which value a step search tries next, to find the highest value of a parameter under which a
// check holds: up by a factor until it breaks, then between the last that held and the first that did not.
// Pure; the harness runs the trials.

import { z } from 'zod';
import { parseExpectation } from '../metrics/check.ts';
import { eachSecond, magnitudeOf, outsideMatrix } from './matrix.ts';

const magnitude = z
  .union([z.string().min(1), z.number().positive()])
  .transform(String)
  .refine((text) => magnitudeOf(text) !== undefined, {
    error: 'a search goes over numbers, rates, sizes or durations, such as 100 or 50/s',
  });

/** Of a search without an end: with a factor of 2, a thousand times its first value. */
export const mostStepsUp = 10;

export const searchSchema = z
  .strictObject({
    what: z
      .string()
      .min(1)
      .refine(
        (path) =>
          !outsideMatrix.some(
            (key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`),
          ),
        {
          error:
            'this is the same for all trials of a run; search over subscribers, ' +
            'or a rate such as topics.news.publish',
        },
      )
      .describe('path of the value that is raised, such as subscribers or topics.news.publish'),
    from: magnitude.describe('the first value tried'),
    to: magnitude
      .optional()
      .describe(
        'the highest value tried; without it the search continues until the check fails or the load side ' +
          `is at its limit, for at most ${mostStepsUp} steps up`,
      ),
    factor: z
      .number()
      .min(1.05)
      .max(100)
      .default(2)
      .describe('each step up is this many times the one before'),
    refine: z
      .int()
      .min(0)
      .max(10)
      .default(1)
      .describe(
        'how often the gap between the last value that held and the first that did not is halved, on a ' +
          'logarithmic scale',
      ),
    keep: z
      .string()
      .superRefine((text, context) => {
        const parsed = parseExpectation(text);
        if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
      })
      .describe('the check that must hold, such as "latency.p99 < 100ms"'),
  })
  .refine(
    ({ from, to }) =>
      to === undefined ||
      (magnitudeOf(from)?.unit === magnitudeOf(to)?.unit &&
        magnitudeOf(to)!.value >= magnitudeOf(from)!.value),
    { error: 'to is not above from, or is another kind of quantity', path: ['to'] },
  )
  .describe('finds, for each variant, the highest value under which a check holds');

export type Search = z.output<typeof searchSchema>;
/**
 * `ended`: the trial has no figure that decides, or could not run, so it says nothing about the server, and
 * the search ends.
 */
export type Verdict = 'held' | 'broken' | 'ended';
export type Tried = { value: number; verdict: Verdict };
/**
 * The outcome: `found` between two values, `at-least` where the search ended before anything broke,
 * `below` where the first did.
 */
export type Limit =
  | { kind: 'found'; value: number; brokenAt: number }
  | { kind: 'at-least'; value: number }
  | { kind: 'below'; value: number }
  | { kind: 'none' };

/** The value to try next; `undefined` when the search is over. */
export function nextValue({ from, to, factor, refine }: Search, tried: readonly Tried[]): number | undefined {
  const unit = magnitudeOf(from)!.unit;
  const rounded = (value: number) =>
    unit === '' || unit === 'bytes' ? Math.round(value) : Number(value.toPrecision(3));
  const first = magnitudeOf(from)!.value;
  if (tried.length === 0) return first;
  if (tried.at(-1)!.verdict === 'ended') return undefined;
  const held = highestHeld(tried);
  const broken = lowestBroken(tried);
  if (held === undefined) return undefined;
  if (broken === undefined) {
    if (to === undefined) return tried.length > mostStepsUp ? undefined : rounded(held * factor);
    const most = magnitudeOf(to)!.value;
    return held >= most ? undefined : Math.min(most, rounded(held * factor));
  }
  // Each trial after the first broken one halves the gap.
  const halvings = tried.length - 1 - tried.findIndex(({ verdict }) => verdict === 'broken');
  const between = rounded(Math.sqrt(held * broken));
  return halvings >= refine || between <= held || between >= broken ? undefined : between;
}

export function limitOf(tried: readonly Tried[]): Limit {
  const held = highestHeld(tried);
  const broken = lowestBroken(tried);
  if (held !== undefined)
    return broken === undefined
      ? { kind: 'at-least', value: held }
      : { kind: 'found', value: held, brokenAt: broken };
  return broken === undefined ? { kind: 'none' } : { kind: 'below', value: broken };
}

/**
 * How far apart, as a share, the last that held and the first that did not may lie: the
 * resolution of the answer.
 */
export function resolutionOf({ factor, refine }: Pick<Search, 'factor' | 'refine'>): number {
  return factor ** (1 / 2 ** refine) - 1;
}

/** Trials that a search makes at most, those tried again left out. */
export function mostTrials({ from, to, factor, refine }: Search): number {
  const stepsUp =
    to === undefined
      ? mostStepsUp
      : Math.ceil(Math.log(magnitudeOf(to)!.value / magnitudeOf(from)!.value) / Math.log(factor));
  return 1 + stepsUp + refine;
}

/** A value as a scenario would write it: in the unit of `like`. */
export function writeLike(like: string, value: number): string {
  return (
    String(value) +
    ({ '': '', 'a second': '/s', [eachSecond]: '/s each', bytes: 'B', ms: 'ms', share: '' }[
      magnitudeOf(like)!.unit
    ] ?? '')
  );
}

function highestHeld(tried: readonly Tried[]): number | undefined {
  const values = tried.filter(({ verdict }) => verdict === 'held').map(({ value }) => value);
  return values.length === 0 ? undefined : Math.max(...values);
}

function lowestBroken(tried: readonly Tried[]): number | undefined {
  const values = tried.filter(({ verdict }) => verdict === 'broken').map(({ value }) => value);
  return values.length === 0 ? undefined : Math.min(...values);
}
