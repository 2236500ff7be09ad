// Makes figures of a trial's readings: merged histograms, the closed ledger, costs over the measured phase,
// warnings. Pure: it reads nothing but the readings.

import { didOf, lengthOf } from '../../core/fault/faults.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { LoadClosed, Problem } from '../../core/protocol/control.ts';
import { addCounters, newCounters } from '../../core/result/counters.ts';
import { fromSparse } from '../../core/result/histogram.ts';
import type { DrainCount } from '../../core/policy/server/drain.ts';
import type { Completed, Trial, TrialFault } from '../../core/result/result.ts';
import { voidsOf } from '../../core/result/voids.ts';
import { isTooLarge } from '../../core/result/too-large.ts';
import { writeWayIn } from '../../core/scenario/server-words.ts';
import { topicName } from '../../core/scenario/topics.ts';
import type { TrialPlan } from '../plan/plan.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import { aroundFaults } from '../../core/figures/around-faults.ts';
import { crossCheck, type Between } from './cross-check.ts';
import { compressionOf, notCompressed } from './compression.ts';
import { faultWarnings } from '../../core/figures/fault-warnings.ts';
import { happenedAtUs } from './faults.ts';
import { fellBack } from './fell-back.ts';
import { latencyByAttempt, latencyOf } from './latency-figures.ts';
import { pollRate } from './poll-rate.ts';
import { countersMeasured, lostIn, processUses } from './process-figures.ts';
import { lossesBetween, networkWarnings } from './network-warnings.ts';
import { placeWarnings } from './place-warnings.ts';
import { processWarnings } from './process-warnings.ts';
import { recoveryOf } from '../../core/figures/recovery-figures.ts';
import type { Readings } from './readings.ts';
import { warningsOf } from './validity.ts';
import { wireBounds } from './wire-bound.ts';
import { wireOthers } from './wire-others.ts';
import { workerWarnings } from './worker-warnings.ts';

export function outcomeOf(
  plan: TrialPlan,
  variant: Variant,
  readings: Readings,
): Pick<Trial, 'warnings' | 'outcome'> {
  const completed = { ...completedOf(plan, variant, readings), ...wayInOf(variant, plan) };
  const warnings = [
    ...workerWarnings(readings, completed),
    ...warningsOf(plan, readings, completed),
    ...processWarnings(plan, readings, completed),
    ...faultWarnings(completed),
    ...placeWarnings(plan, readings, completed),
    ...networkWarnings(plan, readings, completed),
    ...pollRate(plan.scenario, variant, completed),
    ...wireOthers(completed),
    ...fellBack(completed),
    ...notCompressed(completed),
  ];
  const spoiling = warnings.filter((one) => one.level === 'invalid');
  if (spoiling.length === 0) return { warnings, outcome: completed };
  const voids = Object.fromEntries(spoiling.map(({ code }) => [code, voidsOf(code, completed)]));
  return { warnings, outcome: { ...completed, valid: false, voids } };
}

function completedOf(plan: TrialPlan, variant: Variant, readings: Readings): Completed {
  const { window, series, done, sent, closed, serverCounters } = readings;
  const client = closed.reduce((sum, report) => addCounters(sum, report.counters), newCounters());
  const clientMeasured = countersMeasured('load', readings);
  const pages = closed.flatMap((report) => report.pages ?? []);
  const faults = faultsOf(plan, readings);
  const recovery = recoveryOf(closed, plan.scenario.reconnect, window.fromUs);
  return {
    status: 'completed',
    valid: true,
    ...latencyOf(plan, readings),
    latencyByAttempt: latencyByAttempt(closed),
    ledger: ledgerOf(plan, readings),
    counters: {
      server: serverCounters,
      client,
      serverMeasured: countersMeasured('server', readings),
      clientMeasured,
    },
    // Targets, killed servers and lost workers do not tell their counts.
    checks:
      readings.serverReadings === 'self' && readings.serversKilled === 0 && !lostIn(readings)
        ? crossCheck(serverCounters, client, betweenOf(plan, variant, readings), lossesBetween(plan.scenario))
        : [],
    ...(pages.length > 0 && {
      pageRequests: {
        planned: pages.reduce((sum, one) => sum + one.planned, 0),
        answered: pages.reduce((sum, one) => sum + fromSparse(one.latency).count, 0),
      },
    }),
    connectUs: readings.connectUs,
    connecting: readings.connecting,
    ...(readings.warmUp && { warmUp: readings.warmUp }),
    ...transportsOf(readings),
    ...compressionOf(variant, client),
    subscribers: readings.subscribers,
    connections: readings.connections,
    ...clusterOf(plan, readings),
    measuredUs: window.toUs - window.fromUs,
    drainUs: readings.drainUs,
    measuredDeliveries: clientMeasured.events,
    descriptors: descriptorsOf(readings),
    kernelSocketBytes: kernelSocketBytesOf(readings),
    ...(readings.hostMemory && { hostMemory: readings.hostMemory }),
    ...networkOf(readings),
    ...(readings.throttling && { throttling: readings.throttling }),
    ...(!readings.hasProc && { noProc: true }),
    processes: processUses(readings),
    ...(readings.workers.length > 0 && { workers: [...readings.workers] }),
    ...faults,
    ...recovery,
    ...aroundFaults(readings.latencySlots, window.slotUs, { ...faults, ...recovery }),
    series,
    problems: sumProblems([...closed, ...sent, done].flatMap((report) => report.problems)),
  };
}

/** HAProxy reads HTTP/1.1 in clear text, and passes anything else on as it is. */
function betweenOf(
  { scenario: { servers } }: TrialPlan,
  { pattern, options, target }: Variant,
  { encrypted }: Readings,
): Between {
  if (target !== undefined || servers.inFront.kind === 'list' || encrypted) return 'passes-bytes';
  const over = patternNamed(pattern)?.httpVersion?.(options) ?? 'h1';
  return over === 'h1' ? 'reads-requests' : 'passes-bytes';
}

/** Nothing of a system that is not ours. */
function wayInOf({ target }: Variant, { scenario }: TrialPlan): Pick<Completed, 'wayIn'> {
  const wayIn = target === undefined ? writeWayIn(scenario.server) : undefined;
  return wayIn === undefined ? {} : { wayIn };
}

/** Of all load processes together; nothing where no subscriber falls back. */
function transportsOf({ closed }: Readings): Pick<Completed, 'transports'> {
  if (!closed.some((report) => report.transports)) return {};
  const sums: Record<string, number> = {};
  for (const { transports = {} } of closed)
    for (const [name, count] of Object.entries(transports)) sums[name] = (sums[name] ?? 0) + count;
  return { transports: sums };
}

/** Nothing of a server by itself. */
function clusterOf(
  { scenario: { servers } }: TrialPlan,
  { serverCount }: Readings,
): Pick<Completed, 'servers'> {
  if (serverCount === undefined) return {};
  return { servers: { count: serverCount, broker: servers.broker.kind, inFront: servers.inFront.kind } };
}

/** Nothing where it could not be read. */
function descriptorsOf({
  descriptors,
  descriptorLimit,
  descriptorsPeak,
}: Readings): Completed['descriptors'] {
  const { baseline, connected } = descriptors;
  if (!baseline || !connected || descriptorLimit === undefined) return null;
  return {
    limit: descriptorLimit,
    baseline: baseline.total,
    connected: connected.total,
    peak: Math.max(descriptorsPeak, connected.total),
    socketsBaseline: baseline.sockets,
    socketsConnected: connected.sockets,
  };
}

function kernelSocketBytesOf({ kernelPeakBytes, kernelBaselineBytes }: Readings): number | null {
  if (kernelPeakBytes === undefined || kernelBaselineBytes === undefined) return null;
  return Math.max(0, kernelPeakBytes - kernelBaselineBytes);
}

/** The host's counts, with the part that the trial's own connections explain. */
function networkOf(readings: Readings): Pick<Completed, 'network'> {
  const { network, serverReadings, serversKilled, othersTalk, idleBytesPerS, encrypted, sent, done } =
    readings;
  const { from, to } = network;
  // What servers, broker and proxies say to one another is on the same loopback, and nobody counts it.
  if (!from || !to || othersTalk || serversKilled > 0) return {};
  const { most, leastBytes } = wireBounds(
    countersMeasured('load', readings),
    serverReadings === 'self' ? countersMeasured('server', readings) : newCounters(),
    countersMeasured('publisher', readings),
    {
      published: [done, ...sent].reduce((sum, { lag }) => sum + fromSparse(lag).count, 0),
      encrypted,
    },
  );
  return {
    network: {
      segments: to.segments - from.segments,
      wireBytes: to.bytes - from.bytes,
      ...(idleBytesPerS !== undefined && { idleBytesPerS }),
      explained: { mostSegments: most.segments, mostBytes: most.bytes, leastBytes },
    },
  };
}

/** Each fault with the moment at which it happened; nothing where the scenario has none. */
function faultsOf(
  { scenario: { phases } }: TrialPlan,
  { faults, acted, drains, window }: Readings,
): Pick<Completed, 'faults'> {
  if (faults.length === 0) return {};
  return {
    faults: faults.map((played, act) => {
      const { fault } = played;
      const atUs = happenedAtUs(played, act, acted);
      const length = lengthOf(fault);
      return {
        kind: fault.kind,
        did: didOf(fault),
        atMs: fault.atMs,
        atUs: atUs === undefined ? null : atUs - window.fromUs,
        ...(length && { forMs: Math.min(length.ms, phases.measure + phases.drain - fault.atMs) }),
        ...(played.tookUs !== undefined && { tookUs: played.tookUs }),
        ...(played.unfinished && { unfinished: true }),
        ...(atUs === undefined && played.why !== undefined && { why: played.why }),
        ...letGoOf(drains.filter((one) => one.act === act)),
      };
    }),
  };
}

/** Of all servers that were drained in one fault; nothing where none was. */
function letGoOf(drains: Readings['drains']): Pick<TrialFault, 'letGo'> {
  if (drains.length === 0) return {};
  const sum = (name: keyof DrainCount) => drains.reduce((total, one) => total + one[name], 0);
  return {
    letGo: {
      servers: drains.length,
      told: sum('told'),
      left: sum('left'),
      closedAtLimit: sum('closedAtLimit'),
    },
  };
}

function ledgerOf(
  plan: TrialPlan,
  { ranges, done, closed, unconfirmed: disregarded }: Readings,
): Completed['ledger'] {
  const sum = (key: Exclude<keyof LoadClosed['ledger'], 'missing'>) =>
    closed.reduce((total, report) => total + (report.ledger[key] ?? 0), 0);
  const warmupUs = plan.scenario.phases.warmup * 1000;
  let unconfirmed = 0;
  for (let i = 0; i < done.seq.length; i++)
    if (done.seq[i] === 0 && plan.publish.offsetUs[i]! >= warmupUs) unconfirmed++;
  return {
    published: ranges.reduce(
      (total, { first, last }, topic) =>
        total +
        Math.max(0, last - first + 1) -
        disregarded.filter((one) => one.topic === topic && one.seq >= first && one.seq <= last).length,
      0,
    ),
    unconfirmed,
    expected: sum('expected'),
    delivered: sum('delivered'),
    missed: sum('missed'),
    ...(sum('unreported') > 0 && { unreported: sum('unreported') }),
    duplicated: sum('duplicated'),
    reordered: sum('reordered'),
    resumed: sum('resumed'),
    corrupted: sum('corrupted'),
    unexpected: sum('unexpected'),
    missing: closed
      .flatMap((report) => report.ledger.missing)
      .slice(0, 100)
      .map(({ subscriber, topic, from, to }) => ({
        subscriber,
        topic: topicName(plan.topics, topic),
        from,
        to,
      })),
  };
}

function sumProblems(problems: readonly Problem[]): Problem[] {
  const byText = new Map<string, Problem>();
  for (const problem of problems) {
    const key = `${problem.code} ${problem.message}`;
    const known = byText.get(key);
    if (known) known.count += problem.count;
    else byText.set(key, { ...problem });
  }
  // Problems that make figures void come first, so they are kept.
  return [...byText.values()]
    .sort((a, b) => Number(isTooLarge(b)) - Number(isTooLarge(a)) || b.count - a.count)
    .slice(0, 50);
}
