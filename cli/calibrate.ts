// Implements `pushbench calibrate`: runs the trials that a profile is made of, and writes it.

import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { counted } from '../core/base/counted.ts';
import { oneLine } from '../core/base/printable.ts';
import { listed, nearest } from '../core/base/suggest.ts';
import { formatBytes, formatNumber, formatShare, formatUs } from '../core/base/units.ts';
import { patterns } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import { profileQuantiles, type Profile } from '../core/profile/profile.ts';
import { calibrate, type Calibration } from '../harness/calibrate/calibrate.ts';
import { lackingOf, type Lives, type Versions } from '../harness/calibrate/cluster-of.ts';
import { planAll, type Installed } from '../harness/calibrate/cluster-points.ts';
import { installedHere, nothingInstalled } from '../harness/calibrate/installed.ts';
import { coresHere } from '../harness/calibrate/cores.ts';
import { readKernel } from '../harness/calibrate/kernel.ts';
import { measureLives } from '../harness/calibrate/life.ts';
import {
  calibrated,
  full as fullExtent,
  placeText,
  pointMs,
  quick,
  type Point,
} from '../harness/calibrate/points.ts';
import { profileOf } from '../harness/calibrate/profile-of.ts';
import { keepThisProcessTo } from '../harness/process/child.ts';
import { thisMachine } from '../harness/run/machine.ts';
import { requireWritable, writeWhole } from '../harness/run/store.ts';
import { version } from '../harness/run/version.ts';
import { processes, processesOn } from '../harness/trial/fleet.ts';
import { createLiveView, liveMode } from './live.ts';
import { print } from './print.ts';
import { onSignals } from './signals.ts';

export type CalibrateFlags = {
  full: boolean;
  /** Whether brokers and HAProxy are measured too. */
  cluster: boolean;
  patterns?: string;
  minutes?: string;
  name?: string;
  output: string;
  quiet: boolean;
};

const otherFile = 'Free some space, or name another file with --output FILE.';
const longestName = 100;

export async function calibrateCommand(flags: CalibrateFlags & { invocation: string }): Promise<ExitCode> {
  const { output, quiet: silent } = flags;
  const names = patternsOf(flags.patterns);
  const extent = flags.full ? fullExtent : quick;
  const budgetMs = budgetOf(flags.minutes, extent.budgetMs, names);
  const name = nameOf(flags.name);
  // Read before this process is kept to some of the cores.
  const machine = thisMachine();
  if (machine.hasProc === false)
    throw new UserError(
      'calibrate',
      'A profile is made from /proc, where Linux lists its processes, and this system has none. Calibrate ' +
        'on Linux, or simulate with a profile of another machine.',
      exitCodes.failed,
    );
  requireWritable(output);
  const { pinned, ...unpinned } = coresHere();
  const { installed, versions, absent } = flags.cluster ? installedHere() : nothingInstalled;
  const points = planAll(names, patterns, extent, installed);
  const hasFront = points.some(({ cluster }) => cluster?.kind === 'front');
  const planned = { ...installed, haproxy: hasFront };
  const view = createLiveView(liveMode(silent));
  for (const text of absent) view.note(`left out: ${text}`);
  view.note(planText(points, budgetMs));
  view.note(
    pinned
      ? `The server is kept to core ${pinned.server}, load to ${pinned.load}, the publisher to ` +
          `${pinned.publisher}.`
      : `No process is pinned to cores: ${'why' in unpinned ? unpinned.why : ''}`,
  );
  const stop = new AbortController();
  const release = onSignals(stop, (signal) => view.note(`${signal}: ending.`));
  if (pinned) keepThisProcessTo(pinned.publisher);
  const asked = {
    points,
    budgetMs,
    registry: patterns,
    fleet: pinned ? processesOn(pinned) : processes,
    machine,
    observer: view,
    signal: stop.signal,
  };
  const fromMs = performance.now();
  const measureAll = async (): Promise<{ calibration: Calibration; lives: Lives }> => {
    const calibration = await calibrate(asked);
    const isWhole = calibration.end.kind === 'finished' && calibration.measured.length > 0;
    if (!isWhole) return { calibration, lives: {} };
    const hasTime = (tookMs: number) => performance.now() - fromMs + tookMs < budgetMs;
    const { lives, leftOut } = await measureLives(installed.brokers, hasTime, asked);
    calibration.leftOut.push(...leftOut);
    if (stop.signal.aborted) calibration.end = { kind: 'interrupted' };
    return { calibration, lives };
  };
  const { calibration, lives } = await measureAll().finally(() => {
    view.close();
    release();
  });
  const profile = toProfile(calibration, lives, name, pinned, versions);
  return finish(calibration, profile, { names, planned, absent }, output);
}

/** @throws UserError for a name that is none */
function patternsOf(words: string | undefined): string[] {
  const known = calibrated(patterns);
  if (words === undefined) return known;
  const names = [...new Set(words.split(',').map((word) => word.trim()))];
  for (const one of names) {
    if (known.includes(one)) continue;
    const near = nearest(one, known);
    throw new UserError(
      'patterns',
      `--patterns ${oneLine(one)}: there is no such pattern` +
        `${near ? `; did you mean "${near}"?` : '.'} There are: ${known.join(', ')}.`,
    );
  }
  return names;
}

/** @throws UserError where it is not a time, or too short for a trial of each pattern */
function budgetOf(minutes: string | undefined, usualMs: number, names: readonly string[]): number {
  if (minutes === undefined) return usualMs;
  const budgetMs = Number(minutes) * 60_000;
  const leastMs = names.length * pointMs({ measureMs: quick.mostMeasureMs });
  if (!(budgetMs >= leastMs) || budgetMs > 24 * 3_600_000)
    throw new UserError(
      'minutes',
      `--minutes ${oneLine(minutes)} is not possible: one trial of ` +
        `${names.length === 1 ? names[0] : 'each pattern'} takes about ${formatUs(leastMs * 1000)}. ` +
        'Give more minutes, at most a day (1440).',
    );
  return budgetMs;
}

function nameOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const name = oneLine(given).trim();
  if (name === '' || name.length > longestName)
    throw new UserError('name', `--name is what reports call the profile: give 1 to ${longestName} letters.`);
  return name;
}

function planText(points: readonly Point[], budgetMs: number): string {
  const plannedMs = points.reduce((sum, point) => sum + pointMs(point), 0);
  const most = `at most ${formatUs(budgetMs * 1000)}`;
  return (
    `${counted(points.length, 'trial')}, about ${formatUs(plannedMs * 1000)}, ${most}` +
    `${plannedMs > budgetMs ? ': what has no room is left out' : ''}. Keep the machine quiet meanwhile.`
  );
}

/** @returns undefined where nothing was measured */
function toProfile(
  { measured, environment }: Calibration,
  lives: Lives,
  name: string | undefined,
  pinned: Profile['pinned'],
  versions: Versions,
): Profile | undefined {
  if (!environment || measured.every(({ point }) => point.cluster)) return undefined;
  const { cpu, cores } = environment;
  const about = {
    pushbench: version,
    createdAt: new Date().toISOString(),
    name: name ?? `${cpu}, ${counted(cores, 'core')}`,
    environment,
    pinned,
    kernel: readKernel(),
  };
  return profileOf(measured, about, versions, lives);
}

/** Writes the profile and says what is in it. @returns the exit code */
function finish(
  { end, leftOut, unstarted, measured }: Calibration,
  profile: Profile | undefined,
  { names, planned, absent }: { names: readonly string[]; planned: Installed; absent: readonly string[] },
  output: string,
): ExitCode {
  if (end.kind === 'failed') throw new UserError('calibrate', end.why, exitCodes.failed);
  if (!profile) {
    if (end.kind === 'interrupted') {
      print('Interrupted before a trial had valid figures; nothing was written.');
      return exitCodes.interrupted;
    }
    throw new UserError(
      'calibrate',
      ['No trial had valid figures, so there is no profile:', ...leftOut].join('\n'),
      exitCodes.failed,
    );
  }
  // An interrupted profile does not replace a complete one.
  const file = end.kind === 'interrupted' ? output.replace(/(\.json)?$/, '.interrupted.json') : output;
  writeWhole(file, `${JSON.stringify(profile, null, 1)}\n`, otherFile);
  for (const line of summaryOf(profile)) print(line);
  const out = [...absent, ...leftOut];
  if (out.length > 0) print(`Left out:\n${out.map((text) => `  ${text}`).join('\n')}`);
  if (unstarted.length > 0)
    print(`There was no time for ${counted(unstarted.length, 'trial')}; --minutes gives more.`);
  if (end.kind === 'interrupted') {
    print(`Profile, interrupted after ${counted(measured.length, 'trial')}: ${file}`);
    return exitCodes.interrupted;
  }
  print(`Profile: ${file}`);
  const missing = [
    ...names.filter((name) => profile.variants[variantOf(patterns, name).label] === undefined),
    ...lackingOf(profile, planned),
  ];
  if (missing.length === 0) return exitCodes.ok;
  print(`There were no valid figures for ${listed(missing)}, so the profile has none.`);
  return exitCodes.invalid;
}

function summaryOf({ name, variants, cluster }: Profile): string[] {
  return [
    name,
    ...Object.entries(variants).map(([label, { points, atRest }]) => {
      const last = points.at(-1)!; // a variant has points
      const events = points.reduce((sum, point) => sum + point.events, 0);
      return (
        `  ${label}: ${counted(points.length, 'point')} with ${formatNumber(events)} events, ` +
        `${formatBytes(Math.round(atRest.serverRssBytes))} of server memory per subscriber; with ` +
        `${placeText(last)} ${formatShare(last.serverCpuShare)} of a core`
      );
    }),
    ...Object.entries(cluster?.brokers ?? {}).map(([broker, { points }]) => {
      const last = points.at(-1)!; // a broker has points
      const medianUs = last.delayUs[profileQuantiles.indexOf(0.5)]!;
      return (
        `  ${broker}: an event comes ${formatUs(medianUs)} later at the median, and costs each ` +
        `further server ${formatUs(last.receivedCpuUs)} of CPU at ${last.perS}/s`
      );
    }),
    ...Object.entries(cluster?.haproxy?.variants ?? {}).map(
      ([label, { points }]) =>
        `  ${label} through HAProxy: ${formatUs(points.at(-1)!.cpuUs)} of its CPU each`,
    ),
  ];
}
