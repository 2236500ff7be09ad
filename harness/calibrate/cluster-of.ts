// Makes the part of a profile that is about what stands beside servers: what a broker and HAProxy add to
// figures of the same trials without them. Pure.

import {
  profileQuantiles,
  type BrokerPoint,
  type FrontPoint,
  type Profile,
  type ProfileCluster,
  type ThroughFront,
} from '../../core/profile/profile.ts';
import { requestsOf } from '../../core/result/counters.ts';
import type { Completed, ProcessUse } from '../../core/result/result.ts';
import type { BrokerName } from '../../core/scenario/servers.ts';
import { mean, quantilesOf, spreadOf, sum, use, type Done } from './means.ts';

/** What programs say that they are: `redis-server 7.0.15`. */
export type Versions = Partial<Record<BrokerName | 'haproxy', string>>;

/** How long a server takes to start and to stop, by the broker that it connects to. */
export type Lives = Partial<Record<BrokerName, NonNullable<Profile['serverLife']>>>;

/**
 * @param done trials of the planes, of brokers and of HAProxy
 * @returns undefined where they say nothing about brokers and HAProxy
 */
export function clusterOf(
  done: readonly Done[],
  versions: Versions,
  lives: Lives,
): ProfileCluster | undefined {
  const brokers = brokersOf(done, versions, lives);
  const haproxy = haproxyOf(done, versions);
  if (Object.keys(brokers).length === 0 && !haproxy) return undefined;
  return { brokers, ...(haproxy && { haproxy }) };
}

function brokersOf(done: readonly Done[], versions: Versions, lives: Lives): ProfileCluster['brokers'] {
  const names = new Set(
    done.flatMap(({ point: { cluster } }) => (cluster?.kind === 'broker' ? [cluster.broker] : [])),
  );
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const own = done.filter(
        ({ point: { cluster } }) => cluster?.kind === 'broker' && cluster.broker === name,
      );
      const rates = [...new Set(own.map(({ point }) => point.perS))].toSorted((a, b) => a - b);
      const points = rates.flatMap((perS) => brokerPointOf(own, done, perS) ?? []);
      if (points.length === 0) return [];
      const rssBytes = Math.max(...own.map(({ outcome }) => use(outcome, 'broker').rssPeakBytes));
      const serverLife = lives[name];
      const version = versions[name] ?? 'unknown';
      return [[name, { version, ...(serverLife && { serverLife }), rssBytes, points }]];
    }),
  );
}

/** @returns undefined where one of the three kinds of trials is missing that it takes */
function brokerPointOf(own: readonly Done[], all: readonly Done[], perS: number): BrokerPoint | undefined {
  const at = (some: readonly Done[], isOne: (cluster: Done['point']['cluster']) => boolean) =>
    some.filter(({ point }) => point.perS === perS && isOne(point.cluster)).map(({ outcome }) => outcome);
  const direct = at(all, (cluster) => cluster?.kind === 'direct');
  const [one, two] = [1, 2].map((servers) =>
    at(own, (cluster) => cluster?.kind === 'broker' && cluster.servers === servers),
  ) as [Completed[], Completed[]];
  if (direct.length === 0 || one.length === 0 || two.length === 0) return undefined;
  const serverUs = (trials: readonly Completed[]) => mean(trials.map((trial) => eventUs(trial, 'server')));
  const brokerUs = (trials: readonly Completed[]) => mean(trials.map((trial) => eventUs(trial, 'broker')));
  const directMedianUs = medianOf(direct);
  return {
    perS,
    events: sum(one.map(({ ledger }) => ledger.published)),
    trials: one.length,
    delayUs: laterBy(firstOf(one), firstOf(direct)),
    delaySpread: spreadBetween(one.map((trial) => Math.max(0, medianOf([trial]) - directMedianUs))),
    directCpuUs: serverUs(direct),
    publishedCpuUs: serverUs(one),
    receivedCpuUs: Math.max(0, serverUs(two) - serverUs(one)),
    cpuSpread: spreadBetween(one.map((trial) => eventUs(trial, 'server'))),
    brokerCpuUs: brokerUs(one),
    brokerCpuEachUs: Math.max(0, brokerUs(two) - brokerUs(one)),
  };
}

function haproxyOf(done: readonly Done[], versions: Versions): ProfileCluster['haproxy'] {
  const own = done.filter(({ point }) => point.cluster?.kind === 'front');
  if (own.length === 0) return undefined;
  const variants = [...Map.groupBy(own, ({ variant }) => variant.label)].flatMap(([label, some]) => {
    const through = throughOf(some, done);
    return through ? [[label, through] as const] : [];
  });
  if (variants.length === 0) return undefined;
  const fronts = own.map(({ outcome }) => use(outcome, 'in-front'));
  return {
    version: versions.haproxy ?? 'unknown',
    baseRssBytes: mean(fronts.map(({ rssBaselineBytes }) => rssBaselineBytes)),
    baseDescriptors: mean(fronts.map(({ descriptors }) => descriptors?.baseline ?? 0)),
    variants: Object.fromEntries(variants),
  };
}

/** @returns undefined where no point of it was measured without HAProxy */
function throughOf(own: readonly Done[], all: readonly Done[]): ThroughFront | undefined {
  const { pattern, options, label } = own[0]!.variant; // there is one
  const alike = Map.groupBy(own, ({ point }) => `${point.subscribers} ${point.perS}`).values();
  const points = [...alike].flatMap((some): FrontPoint[] => {
    const { subscribers, perS } = some[0]!.point;
    const direct = all.filter(
      ({ point, variant }) =>
        !point.cluster && variant.label === label && point.subscribers === subscribers && point.perS === perS,
    );
    return direct.length === 0 ? [] : [frontPointOf(some, direct)];
  });
  if (points.length === 0) return undefined;
  const most = Math.max(...own.map(({ point }) => point.subscribers));
  const trials = own.filter(({ point }) => point.subscribers === most).map(({ outcome }) => outcome);
  const each = (of: (trial: Completed) => number) =>
    Math.max(0, mean(trials.map((trial) => of(trial) / trial.subscribers)));
  return {
    pattern,
    options: { ...options },
    atRest: {
      subscribers: most,
      descriptors: each((trial) => {
        const { descriptors } = use(trial, 'in-front');
        return descriptors ? descriptors.connected - descriptors.baseline : 0;
      }),
      rssBytes: each((trial) => {
        const { rssConnectedBytes, rssBaselineBytes } = use(trial, 'in-front');
        return rssConnectedBytes - rssBaselineBytes;
      }),
      serverDescriptors: each(({ descriptors }) =>
        descriptors ? descriptors.connected - descriptors.baseline : 0,
      ),
      kernelSocketBytes: each(({ kernelSocketBytes }) => kernelSocketBytes ?? 0),
    },
    points: points.toSorted((a, b) => a.subscribers - b.subscribers || a.perS - b.perS),
  };
}

function frontPointOf(own: readonly Done[], direct: readonly Done[]): FrontPoint {
  const trials = own.map(({ outcome }) => outcome);
  const without = direct.map(({ outcome }) => outcome);
  const { subscribers, perS } = own[0]!.point;
  const passed = (trial: Completed) =>
    requestsOf(trial.counters.clientMeasured) || Math.max(1, trial.measuredDeliveries);
  const withoutUs = medianOf(without);
  return {
    subscribers,
    perS,
    events: sum(trials.map(({ ledger }) => ledger.published)),
    trials: trials.length,
    addedUs: laterBy(firstOf(trials), firstOf(without)),
    addedSpread: spreadBetween(trials.map((trial) => Math.max(0, medianOf([trial]) - withoutUs))),
    cpuUs: mean(trials.map((trial) => use(trial, 'in-front').cpuUs / passed(trial))),
  };
}

/** An event waits for the next poll by the interval; what the machine takes is the request's time. */
const firstOf = (trials: readonly Completed[]) =>
  quantilesOf(trials.map(({ latency }) => latency.request ?? latency.firstReceiver));

const medianOf = (trials: readonly Completed[]) => firstOf(trials)[profileQuantiles.indexOf(0.5)]!;

/** At each quantile; nowhere falling, and not before the others. */
function laterBy(later: readonly number[], sooner: readonly number[]): number[] {
  let least = 0;
  return later.map((us, i) => (least = Math.max(least, us - sooner[i]!)));
}

/** CPU of all processes of a role for an event, without what servers cost idle. */
function eventUs(trial: Completed, role: ProcessUse['role']): number {
  const own = trial.processes.filter((process) => process.role === role);
  const busyUs = sum(own.map(({ cpuUs, wallUs, idleShare = 0 }) => Math.max(0, cpuUs - idleShare * wallUs)));
  return busyUs / trial.ledger.published;
}

function spreadBetween(values: readonly number[]): number | null {
  return values.length < 2 ? null : spreadOf(values);
}

/** What of brokers and HAProxy was to be measured, and the profile does not have. */
export function lackingOf(
  { cluster }: Pick<Profile, 'cluster'>,
  installed: { brokers: readonly BrokerName[]; haproxy: boolean },
): string[] {
  const have = cluster?.brokers ?? {};
  return [
    ...installed.brokers.filter((name) => !(name in have)),
    ...(installed.haproxy && !cluster?.haproxy ? ['HAProxy'] : []),
  ];
}
