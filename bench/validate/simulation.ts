// Holds simulations against reality: runs points that calibration has not seen, predicts each of them from
// the profile that is shipped, and compares, beside two simpler ways to predict.

import { UserError } from '../../core/base/errors.ts';
import { patterns } from '../../core/pattern/registry.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Completed, Trial } from '../../core/result/result.ts';
import { scheduleOf } from '../../core/plan/schedule.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import { openProfile } from '../../api/profiles.ts';
import { calibrate, type Measured } from '../../harness/calibrate/calibrate.ts';
import { coresHere } from '../../harness/calibrate/cores.ts';
import { placeText, scenarioText, type Point } from '../../harness/calibrate/points.ts';
import { sourcesIn } from '../../harness/plan/sources.ts';
import { keepThisProcessTo } from '../../harness/process/child.ts';
import { thisMachine, usableNumbers } from '../../harness/run/machine.ts';
import { processes, processesOn } from '../../harness/trial/fleet.ts';
import { models } from '../../simulation/registry.ts';
import { simulateTrial } from '../../simulation/simulate.ts';
import type { Outcome, Part } from './part.ts';
import { betweenOf, figuresOf, type Figures } from './simulation/figures.ts';
import { grid } from './simulation/grid.ts';
import type { Row } from './simulation/judge.ts';
import { claimsOf, markdownOf } from './simulation/report.ts';
import { nearestRun, plane } from './simulation/rivals.ts';

export const simulation: Part = {
  title: 'Simulations against reality',
  async run(quick) {
    const profile = openProfile(undefined);
    const machine = thisMachine();
    const points = grid(patterns, quick);
    const { pinned, ...unpinned } = coresHere();
    const own = usableNumbers()?.join(',');
    if (pinned) keepThisProcessTo(pinned.publisher);
    try {
      const { measured, leftOut, environment, end } = await calibrate({
        points,
        budgetMs: Infinity,
        registry: patterns,
        fleet: pinned ? processesOn(pinned) : processes,
        machine,
        observer: {
          trialStarted: ({ as, label }, number, of) => console.log(`[${number}/${of}] ${label}, ${as ?? ''}`),
          progress() {},
          trialEnded() {},
          note: (text) => console.log(text),
        },
        signal: new AbortController().signal,
      });
      if (end.kind === 'failed') throw new Error(end.why);
      if (!environment || measured.length === 0) throw new Error(`nothing counted: ${leftOut.join(' ')}`);
      requireSameMachine(profile, environment);
      const cores = pinned
        ? `server on core ${pinned.server}, load on ${pinned.load}, publisher on ${pinned.publisher}`
        : `nothing on cores of its own, as ${'why' in unpinned ? unpinned.why : ''}`;
      return outcomeOf(profile, measured, leftOut, cores);
    } finally {
      if (pinned && own !== undefined) keepThisProcessTo(own);
    }
  },
};

/** What one machine costs says nothing of another. */
function requireSameMachine({ name, environment }: Profile, here: Profile['environment']): void {
  if (environment.cpu === here.cpu && environment.cores === here.cores) return;
  throw new Error(
    `the shipped profile "${name}" is of ${environment.cpu} with ${environment.cores} cores, and this is ` +
      `${here.cpu} with ${here.cores}: put a profile of this machine into profiles/ (npm start -- ` +
      'calibrate --full --output profiles/NAME.json)',
  );
}

function outcomeOf(
  profile: Profile,
  measured: readonly Measured[],
  leftOut: readonly string[],
  cores: string,
): Outcome {
  const places = Map.groupBy(measured, ({ point }) => `${point.pattern} ${placeText(point)}`);
  const rows = [...places.values()].map((same) => rowOf(profile, same)).toSorted(inOrder);
  return {
    claims: claimsOf(rows),
    markdown:
      `The profile "${profile.name}" of ${profile.createdAt.slice(0, 10)} predicts points that it has not ` +
      `seen, between its own and beyond them; one topic, 256 B, evenly spaced events, ${cores}. A point's ` +
      'costs are the means of its trials, its percentiles those of all deliveries together, in brackets ' +
      'from the lowest to the highest end of the 95 % intervals within the trials.\n\n' +
      markdownOf(rows) +
      (leftOut.length === 0 ? '' : `\n\nLeft out:\n\n${leftOut.map((text) => `- ${text}`).join('\n')}`),
  };
}

function inOrder(a: Row, b: Row): number {
  const names = Object.keys(patterns);
  return (
    names.indexOf(a.pattern) - names.indexOf(b.pattern) || a.subscribers - b.subscribers || a.perS - b.perS
  );
}

function rowOf(profile: Profile, same: readonly Measured[]): Row {
  const { point, trial } = same[0]!; // a group has one
  const { pattern, subscribers, perS } = point;
  const known = profile.variants[trial.variant.label];
  if (!known) throw new Error(`the profile "${profile.name}" has nothing of ${trial.variant.label}`);
  const trials = same.flatMap((one) => completedIn(one.trial));
  return {
    pattern,
    subscribers,
    perS,
    events: trials.reduce((sum, { ledger }) => sum + ledger.published, 0),
    measured: figuresOf(trials),
    between: { p50: betweenOf(trials, 0.5), p99: betweenOf(trials, 0.99) },
    predicted: {
      simulated: simulatedFigures(
        profile,
        same.map((one) => one.point),
      ),
      nearest: nearestRun(known, point),
      plane: plane(known, point),
    },
  };
}

/** Of the same trials, simulated. Latencies of a server that is called saturated are no figures. */
function simulatedFigures(profile: Profile, points: readonly Point[]): Figures {
  const trials = points.map((point) => {
    const { scenario } = parseScenario(scenarioText(point), {
      file: 'validation',
      registry: patterns,
      overrides: [],
    });
    const schedule = scheduleOf(scenario, sourcesIn('.'));
    const variant = scenario.variants[0]!; // the scenario has one
    return simulateTrial(
      { scenario, variant, repetition: point.repetition, schedule, profile, clients: 'groups' },
      models,
      new Date(),
    );
  });
  const figures = figuresOf(trials.flatMap(completedIn));
  const saturated = trials.some(({ outcome }) => outcome.status === 'completed' && !outcome.valid);
  return saturated ? { ...figures, p50: Number.NaN, p99: Number.NaN } : figures;
}

function completedIn({ outcome }: Trial): Completed[] {
  if (outcome.status === 'failed') throw new UserError('simulation', outcome.message);
  return [outcome];
}
