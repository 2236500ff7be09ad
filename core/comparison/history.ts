// Follows a scenario's figures over its saved runs and finds where they changed their level. This is advice
// for people who look at trends; it gates nothing.

import type { Gate } from './gate.ts';
import { gatesOfSource } from './gate.ts';
import { metrics } from '../metrics/registry.ts';
import type { Unit } from '../metrics/metric.ts';
import { countsAtAll } from './reading.ts';
import type { RunSet } from './run-set.ts';
import { changePoints } from './statistics/change-points.ts';
import { median } from '../base/median.ts';
import { coresText } from '../result/machine-text.ts';

export type HistoryPoint = {
  /** Place among the run sets, oldest first, from 0. */
  place: number;
  createdAt: string;
  name: string;
  commit: string | null;
  /** Median over the runs that count, and the lowest and highest of them. */
  value: number;
  low: number;
  high: number;
  runs: number;
};

export type HistoryChange = {
  point: HistoryPoint;
  /** The last point of the old level. */
  before: HistoryPoint;
  ratio: number;
  p: number;
};

export type HistorySeries = {
  variant: string;
  metric: string;
  unit: Unit;
  points: HistoryPoint[];
  changes: HistoryChange[];
};

export type History = {
  scenario: string;
  /** All that are in it, oldest first. */
  sets: { name: string; createdAt: string; commit: string | null }[];
  series: HistorySeries[];
  /** Places where another machine or runtime took over; changes of level are not looked for across them. */
  moves: { place: number; from: string; to: string }[];
  /** Run sets of other scenarios. */
  leftOut: string[];
  /** Runs that were cut short, left out too. */
  cut: string[];
};

/**
 * Where runs are measured and simulated, the measured ones alone; with `simulatedToo` all, the simulated ones
 * called so.
 */
export function ofOneKind(
  sets: readonly [RunSet, ...RunSet[]],
  simulatedToo: boolean,
): { sets: [RunSet, ...RunSet[]]; simulated: string[] } {
  const [first, ...others] = simulatedToo ? sets : sets.filter(({ simulated }) => simulated === undefined);
  // All of them are simulated.
  if (!first) return { sets: [...sets], simulated: [] };
  const named = (set: RunSet) => (set.simulated ? { ...set, name: `${set.name} (simulated)` } : set);
  return {
    sets: [named(first), ...others.map(named)],
    simulated: simulatedToo ? [] : sets.filter(({ simulated }) => simulated).map(({ name }) => name),
  };
}

/**
 * @param sets at least one, in any order; sets of another scenario than the newest set's are left out
 * @param cut names of runs that were cut short, which are not among the sets
 */
export function historyOf(sets: readonly [RunSet, ...RunSet[]], cut: readonly string[] = []): History {
  const inTime = [...sets].sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  const newest = inTime.at(-1)!; // there is one
  const own = inTime.filter(({ scenario }) => scenario.name === newest.scenario.name);
  const machines = own.map(
    ({ environment: e }) => `${e.cpu}, ${coresText(e)}, kernel ${e.kernel}, Node ${e.node}`,
  );
  const moves = machines.flatMap((machine, place) =>
    place > 0 && machine !== machines[place - 1] ? [{ place, from: machines[place - 1]!, to: machine }] : [],
  );
  const gates = gatesOfSource(newest.scenario.source);
  const labels = [...new Set(own.toReversed().flatMap(({ variants }) => variants.map(({ label }) => label)))];
  const series = gates.flatMap((gate) =>
    labels.map((label) =>
      seriesOf(
        gate,
        label,
        own,
        moves.map(({ place }) => place),
      ),
    ),
  );
  return {
    scenario: newest.scenario.name,
    sets: own.map(({ name, createdAt, environment: { commit } }) => ({ name, createdAt, commit })),
    series: series.filter(
      ({ metric, points }) =>
        points.length > 0 && (points.some(({ value }) => value > 0) || !lossOf(gates, metric)),
    ),
    moves,
    leftOut: inTime.filter((set) => !own.includes(set)).map(({ name }) => name),
    cut: [...cut],
  };
}

/** Losses are shown where there are any. */
function lossOf(gates: readonly Gate[], metric: string): boolean {
  return gates.some((gate) => gate.kind === 'loss' && gate.metric === metric);
}

function seriesOf(
  gate: Gate,
  variant: string,
  sets: readonly RunSet[],
  moves: readonly number[],
): HistorySeries {
  const points = sets.flatMap(
    ({ name, createdAt, environment: { commit }, variants }, place): HistoryPoint[] => {
      const runs = variants.find(({ label }) => label === variant)?.runs.filter(countsAtAll) ?? [];
      const values = runs.flatMap(({ values: own }) => own[gate.metric] ?? []);
      return values.length === 0
        ? []
        : [
            {
              place,
              name,
              createdAt,
              commit,
              value: median(values),
              low: Math.min(...values),
              high: Math.max(...values),
              runs: values.length,
            },
          ];
    },
  );
  const borders = [0, ...moves, sets.length];
  const changes = borders.slice(1).flatMap((end, i) =>
    changesIn(
      points.filter(({ place }) => place >= borders[i]! && place < end),
      gate,
    ),
  );
  return { variant, metric: gate.metric, unit: metrics[gate.metric]!.unit, points, changes };
}

/** Only of figures that vary by chance; a count that changed can be seen in the table. */
function changesIn(points: readonly HistoryPoint[], gate: Gate): HistoryChange[] {
  if (gate.kind !== 'ratio' || points.some(({ value }) => value <= 0)) return [];
  return changePoints(
    points.map(({ value }) => value),
    { minimumEffect: gate.minimumEffect },
  ).map(({ at, ratio, p }) => ({ point: points[at]!, before: points[at - 1]!, ratio, p }));
}
