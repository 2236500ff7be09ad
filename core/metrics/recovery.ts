// Reads what became of subscribers that were away: how soon they were back and had caught up, which absences
// recovered, and how many subscribers came at once. If nobody was away, there is no figure.

import type { Better, Metric } from './metric.ts';
import { surenessOf } from './sureness.ts';
import { connects } from './who-has.ts';
import { endBelow, merge, newHistogram, quantileUs, type Histogram } from '../result/histogram.ts';
import { histogramOf } from '../result/load-histogram.ts';
import type { Absences } from '../result/recovery.ts';
import type { Completed } from '../result/result.ts';
import { faultEndUs } from '../result/trial-fault.ts';

/** A timer's step, as of latencies. */
const timerStepUs = 1000;

const absencesOf = ({ recovery }: Completed): Absences[] =>
  [recovery?.cut ?? [], recovery?.left ?? []].flat();
const sumOf = (trial: Completed, of: (one: Absences) => number) =>
  absencesOf(trial).reduce((sum, one) => sum + of(one), 0);

const absent = {
  none: 'no subscriber was away',
  count: (trial: Completed) => sumOf(trial, ({ absences }) => absences),
};
const cut = {
  none: 'no subscriber was cut off',
  count: ({ recovery }: Completed) => recovery?.cut?.absences ?? 0,
};

/** Only subscribers that were cut off: the scenario decides how long a subscriber that left stays away. */
const cutTimes = (which: 'connected' | 'caughtUp') => (trial: Completed) => {
  const stored = trial.recovery?.cut?.[which];
  return stored && histogramOf(stored);
};

/** How long subscribers were away, whatever the cause, of all that came back. */
const offline = (trial: Completed): Histogram | undefined => {
  const all = newHistogram();
  for (const { connected } of absencesOf(trial)) merge(all, histogramOf(connected));
  return all;
};

const points = [
  ['p50', 0.5, 'median'],
  ['p95', 0.95, '95th percentile'],
  ['p99', 0.99, '99th percentile'],
  ['max', 1, 'maximum'],
] as const;

/**
 * Each absence is a sample: subscribers draw their waits by themselves.
 * @param timed what it is of, in a description
 */
function times(
  prefix: string,
  among: typeof cut,
  histogram: (trial: Completed) => Histogram | undefined,
  { title, timed }: { title: string; timed: string },
): [string, Metric][] {
  const of = (trial: Completed) => histogram(trial) ?? newHistogram();
  return points.map(([point, quantile, what]) => [
    `${prefix}.${point}`,
    {
      unit: 'us',
      title: `${what} ${title}`,
      description: `The ${what} of ${timed}.`,
      better: 'lower',
      ...(among === cut && { has: connects }),
      rests: ['connections'],
      errorKind: 'recovery',
      among,
      alikeWithin: timerStepUs,
      read: (trial) => quantileUs(of(trial), quantile),
      above: (trial) => endBelow(of(trial), quantileUs(of(trial), quantile)),
      ...(quantile < 1 && {
        percentile: {
          quantile,
          sureness: (trial: Completed) => surenessOf(of(trial), quantile, { kind: 'single' }),
          samples: 'absence',
        },
      }),
    },
  ]);
}

/** When the first fault began and the last was over, from the start of the measured phase. */
function faultsUs({ faults = [] }: Completed): { fromUs: number; toUs: number } | undefined {
  const begins = faults.flatMap(({ atUs }) => atUs ?? []);
  if (begins.length === 0) return undefined;
  const ends = faults.flatMap((fault) => faultEndUs(fault) ?? []);
  return { fromUs: Math.min(...begins), toUs: Math.max(...ends) };
}

const count = (title: string, better: Better, description: string, read: Metric['read']): Metric => ({
  unit: 'count',
  title,
  description,
  better,
  rests: ['connections'],
  among: absent,
  read: (trial) => (trial.recovery ? read(trial) : undefined),
});

export const recoveryMetrics: Readonly<Record<string, Metric>> = {
  ...Object.fromEntries([
    ...times('recovery', cut, cutTimes('caughtUp'), {
      title: 'time from being cut off to having caught up',
      timed: 'the time from being cut off until a subscriber had all that the server kept for it',
    }),
    ...times('reconnect', cut, cutTimes('connected'), {
      title: 'time from being cut off to being connected',
      timed: 'the time from being cut off until a subscriber was subscribed again',
    }),
    ...times('offline', absent, offline, {
      title: 'time away',
      timed: 'the time that a subscriber was away, cut off or not, of those that came back',
    }),
  ]),
  // One that did not come back was away too.
  'offline.max': {
    unit: 'us',
    title: 'longest time away',
    description: 'The longest time that a subscriber was away; one that never came back counts too.',
    better: 'lower',
    rests: ['connections'],
    errorKind: 'recovery',
    among: absent,
    alikeWithin: timerStepUs,
    read: (trial) => trial.recovery && Math.max(...absencesOf(trial).map(({ longestUs }) => longestUs)),
  },
  absences: count(
    'absences of subscribers',
    'neither',
    'Times that a subscriber was away: it was cut off, or it left as the scenario asked.',
    absent.count,
  ),
  'recovered-share': {
    unit: 'share',
    title: 'absences that recovered',
    description: 'Share of the absences after which the server continued where the subscriber had been.',
    better: 'higher',
    rests: ['connections'],
    among: absent,
    read: (trial) => trial.recovery && sumOf(trial, ({ recovered }) => recovered) / absent.count(trial),
  },
  'too-late': count(
    'absences whose cursor came too late',
    'lower',
    'Absences after which the server no longer had all that the subscriber had missed.',
    (trial) => sumOf(trial, (one) => one.tooLate),
  ),
  'never-back': count(
    'subscribers that never came back',
    'lower',
    'Subscribers that were still away when the trial ended.',
    (trial) => sumOf(trial, (one) => one.neverBack),
  ),
  'last-back': {
    unit: 'us',
    title: 'time from the first fault until the last client was back',
    description: 'Time from the first fault until the last subscriber that was cut off was subscribed again.',
    better: 'lower',
    has: connects,
    rests: ['connections'],
    errorKind: 'recovery',
    among: cut,
    alikeWithin: timerStepUs,
    read(trial) {
      const [span, lastBackUs] = [faultsUs(trial), trial.recovery?.cut?.lastBackUs];
      return span && lastBackUs !== undefined ? Math.max(0, lastBackUs - span.fromUs) : undefined;
    },
  },
  'faults.length': {
    unit: 'us',
    title: 'time from the beginning of the first fault to the end of the last',
    description: 'Time from the beginning of the first fault to the end of the last one.',
    better: 'neither',
    rests: [],
    among: { none: 'the scenario asked for no fault', count: ({ faults = [] }) => faults.length },
    alikeWithin: timerStepUs,
    read(trial) {
      const span = faultsUs(trial);
      return trial.faults?.some(({ unfinished }) => unfinished) ? undefined : span && span.toUs - span.fromUs;
    },
  },
  downtime: {
    unit: 'us',
    title: 'downtime, summed over the subscribers',
    description: 'Time that subscribers were away in the measured phase and the drain, added up over all.',
    better: 'lower',
    rests: ['connections'],
    errorKind: 'recovery',
    among: absent,
    alikeWithin: timerStepUs,
    read: (trial) => trial.recovery && sumOf(trial, ({ downtimeUs }) => downtimeUs),
  },
  'missed.while-away': {
    ...count(
      'missed by subscribers while they were away',
      'lower',
      'Missed deliveries that were lost because the subscriber was away.',
      ({ recovery }) => recovery?.missedAway,
    ),
    rests: ['losses'],
  },
  'missed.while-connected': {
    unit: 'count',
    title: 'missed by subscribers that were connected',
    description: 'Missed deliveries that were lost although the subscriber was connected.',
    better: 'lower',
    rests: ['losses'],
    among: {
      none: 'no delivery was expected, as the server confirmed no event',
      count: ({ ledger }) => ledger.expected,
    },
    read: ({ ledger, recovery }) => ledger.missed - (recovery?.missedAway ?? 0),
  },
  'peak-connects': {
    ...count(
      'most connections opened in a second',
      'lower',
      'The most connections that subscribers opened in one second.',
      ({ recovery }) => recovery?.connects.peakPerS,
    ),
    errorKind: 'connects',
    unit: 'per-s',
    has: connects,
  },
  'attempts-per-absence': {
    ...count(
      'attempts to connect per absence',
      'lower',
      'Attempts to connect for each absence, those that succeeded included.',
      (trial) =>
        ((trial.recovery?.connects.refused ?? 0) + sumOf(trial, (one) => one.absences - one.neverBack)) /
        absent.count(trial),
    ),
    has: connects,
  },
  'connects-refused': {
    ...count(
      'failed attempts to connect',
      'lower',
      'Attempts to connect that ended before the subscriber was subscribed.',
      ({ recovery }) => recovery?.connects.refused,
    ),
    has: connects,
  },
};
