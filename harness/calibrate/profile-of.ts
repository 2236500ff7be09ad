// Makes a profile of calibrating trials: distributions of their events, CPU, requests and bytes by point, and
// what a subscriber costs at rest. Pure.

import {
  profileFormat,
  profileVersion,
  type Profile,
  type ProfilePoint,
  type ProfileVariant,
} from '../../core/profile/profile.ts';
import { requestsOf } from '../../core/result/counters.ts';
import { quantileUs, type StoredHistogram } from '../../core/result/histogram.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import type { Completed, Environment, ProcessUse, Trial } from '../../core/result/result.ts';
import { clusterOf, type Lives, type Versions } from './cluster-of.ts';
import { mean, quantilesOf, spreadOf, sum, use, type Done } from './means.ts';
import { payloadBytes } from './points.ts';

/** A trial that counts, and the point that it was to measure. */
export type Sample = { point: Done['point']; trial: Trial };

export type About = Pick<Profile, 'pushbench' | 'createdAt' | 'name' | 'pinned' | 'kernel'> & {
  environment: Environment;
};

/**
 * @param samples at least one of a plane, each completed
 * @param versions of the brokers and of HAProxy
 * @param lives of servers with each broker, as far as measured
 * @throws Error where there is none of a plane
 */
export function profileOf(
  samples: readonly Sample[],
  about: About,
  versions: Versions = {},
  lives: Lives = {},
): Profile {
  const done = samples.flatMap(({ point, trial: { variant, outcome } }): Done[] =>
    outcome.status === 'completed' ? [{ point, variant, outcome }] : [],
  );
  const planes = done.filter(({ point }) => !point.cluster);
  if (planes.length === 0) throw new Error('a profile is made of one trial at least');
  const variants = Map.groupBy(planes, ({ variant }) => variant.label);
  const cluster = clusterOf(done, versions, lives);
  const serverLife = lives['in-process'];
  return {
    format: profileFormat,
    version: profileVersion,
    ...about,
    ...(serverLife && { serverLife }),
    serverBaseRssBytes: mean(planes.map(({ outcome }) => use(outcome, 'server').rssBaselineBytes)),
    variants: Object.fromEntries([...variants].map(([label, own]) => [label, variantFrom(own)])),
    ...(cluster && { cluster }),
  };
}

function variantFrom(done: readonly Done[]): ProfileVariant {
  const points = [...Map.groupBy(done, ({ point }) => `${point.subscribers} ${point.perS}`).values()];
  const { pattern, options } = done[0]!.variant; // there is one
  const bySize = points.toSorted(
    ([a], [b]) => b!.point.subscribers - a!.point.subscribers || a!.point.perS - b!.point.perS,
  );
  return {
    pattern,
    options: { ...options },
    // Of the most, since memory is noise among few; at the lowest rate, which is the nearest to rest.
    atRest: atRestOf(bySize[0]!),
    points: points.map(pointFrom).toSorted((a, b) => a.subscribers - b.subscribers || a.perS - b.perS),
  };
}

function pointFrom(done: readonly Done[]): ProfilePoint {
  const trials = done.map(({ outcome }) => outcome);
  const { subscribers, perS } = done[0]!.point;
  const seconds = sum(trials.map(({ measuredUs }) => measuredUs)) / 1e6;
  const perSecond = (of: (trial: Completed) => number) => sum(trials.map(of)) / seconds;
  const distribution = (of: (latency: Completed['latency']) => StoredHistogram) =>
    quantilesOf(trials.map(({ latency }) => of(latency)));
  const cpu = trials.map((trial) => cpuShare(trial, 'server'));
  // An event waits for the next poll by the interval; what the machine takes is the request's time.
  const of = (receiver: 'firstReceiver' | 'medianReceiver' | 'lastReceiver') =>
    distribution((latency) => latency.request ?? latency[receiver]);
  return {
    subscribers,
    perS,
    payloadBytes,
    events: sum(trials.map(({ ledger }) => ledger.published)),
    trials: trials.length,
    firstUs: of('firstReceiver'),
    medianUs: of('medianReceiver'),
    lastUs: of('lastReceiver'),
    endToEndUs: distribution(({ endToEnd }) => endToEnd),
    latencySpread: spreadOf(
      trials.map(({ latency }) => quantileUs(histogramOf(latency.request ?? latency.endToEnd), 0.5) ?? 0),
    ),
    serverIdleShare: mean(trials.map((trial) => use(trial, 'server').idleShare ?? 0)),
    serverCpuShare: mean(cpu),
    serverCpuSpread: spreadOf(cpu),
    loadCpuShare: mean(trials.map((trial) => cpuShare(trial, 'load'))),
    requestsPerS: perSecond(({ counters }) => requestsOf(counters.clientMeasured)),
    bytesOutPerS: perSecond(({ counters }) => counters.clientMeasured.bytesIn),
    bytesInPerS: perSecond(({ counters }) => counters.clientMeasured.bytesOut),
  };
}

function atRestOf(done: readonly Done[]): ProfileVariant['atRest'] {
  const { subscribers } = done[0]!.point;
  const trials = done.map(({ outcome }) => outcome);
  const each = (of: (trial: Completed) => number) =>
    Math.max(0, mean(trials.map((trial) => of(trial) / trial.subscribers)));
  // Those who ask on a schedule have asked several times until the last one was there.
  const connecting = (of: (costs: NonNullable<Completed['connecting']>, trial: Completed) => number) =>
    Math.max(
      0,
      mean(
        trials.map((trial) => {
          const costs = trial.connecting;
          return costs ? of(costs, trial) / Math.max(trial.subscribers, costs.requests) : 0;
        }),
      ),
    );
  return {
    subscribers,
    connections: each(({ connections = 0 }) => connections),
    descriptors: each(({ descriptors }) => (descriptors ? descriptors.connected - descriptors.baseline : 0)),
    serverRssBytes: each((trial) => {
      const { rssConnectedBytes, rssBaselineBytes } = use(trial, 'server');
      return rssConnectedBytes - rssBaselineBytes;
    }),
    kernelSocketBytes: each(({ kernelSocketBytes }) => kernelSocketBytes ?? 0),
    connectCpuUs: connecting(
      ({ serverCpuUs = 0 }, trial) =>
        serverCpuUs - (use(trial, 'server').idleShare ?? 0) * (trial.connectUs ?? 0),
    ),
    connectBytesIn: connecting(({ bytesIn }) => bytesIn),
    connectBytesOut: connecting(({ bytesOut }) => bytesOut),
  };
}

function cpuShare({ processes }: Completed, role: ProcessUse['role']): number {
  return sum(processes.filter((one) => one.role === role).map(({ cpuUs, wallUs }) => cpuUs / wallUs));
}
