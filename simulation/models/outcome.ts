// Puts a model's outcome together: the tally, the profile's figures of a subscriber at rest, and how far
// outside of the profile the load lies.

import type { ExpectedError } from '../../core/result/simulated.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { ModelInput, Simulated } from '../model.ts';
import { addedError, besideOf } from './beside.ts';
import type { Cluster } from './cluster.ts';
import type { Prepared } from './prepare.ts';
import type { Tally } from './tally.ts';
import type { Part } from './windows.ts';

export type Outcome = {
  /** Of each server. */
  idleShares: readonly number[];
  extrapolated: number;
  expectedError: ExpectedError;
  /** Of requests under way, where connections are not kept. */
  descriptors?: number;
  /** Connections at rest, where their number differs from the measured one. */
  connections?: number;
  leavesOut?: readonly string[];
  /** How much of the time was computed. */
  part: Part;
};

/** What an outcome has to know of brokers, proxies and other servers. */
export type Surroundings = Pick<Cluster, 'count' | 'sizeOf' | 'broker' | 'front' | 'leavesOut' | 'isTold'>;

/** Of a model that knows one server, or has its own account of several. */
export function byItself(subscribers: number): Surroundings {
  return {
    count: 1,
    sizeOf: () => subscribers,
    broker: undefined,
    front: undefined,
    leavesOut: [],
    isTold: false,
  };
}

export function outcomeOf(
  input: ModelInput,
  { measured: { atRest }, subscribers, leavesOut }: Prepared,
  tally: Tally,
  cluster: Surroundings,
  outcome: Outcome,
): Simulated {
  const { works, ...figures } = tally.finish(outcome.idleShares);
  const { count, front, sizeOf } = cluster;
  const ofFront = front?.of.atRest;
  const restFactor = Math.max(1, subscribers / count / atRest.subscribers);
  // What is in front keeps a connection to each server at least, where clients share them.
  const descriptors = ofFront
    ? Math.max(count, ofFront.serverDescriptors * subscribers)
    : (outcome.descriptors ?? atRest.descriptors * subscribers);
  const servers = works.map((work, i) => ({
    ...work,
    idleShare: outcome.idleShares[i]!,
    rssBytes: input.profile.serverBaseRssBytes + atRest.serverRssBytes * sizeOf(i),
    subscribers: sizeOf(i),
  }));
  const beside = besideOf(input, cluster);
  const sum = (of: (one: (typeof servers)[number]) => number) =>
    servers.reduce((all, one) => all + of(one), 0);
  const worst = (of: (one: (typeof servers)[number]) => number) => Math.max(...servers.map(of));
  return {
    ...figures,
    // As subscribers count, who get what the server sends.
    counters: { ...figures.counters, bytesIn: figures.counters.bytesOut, bytesOut: figures.counters.bytesIn },
    server: {
      cpuUs: sum((one) => one.cpuUs),
      idleShare: sum((one) => one.idleShare),
      busiestShare: worst((one) => one.busiestShare),
      askedShare: worst((one) => one.askedShare),
      leftUs: worst((one) => one.leftUs),
      rssBytes: sum((one) => one.rssBytes),
      kernelSocketBytes: (ofFront ?? atRest).kernelSocketBytes * subscribers,
      descriptors: Math.round(descriptors),
    },
    ...(cluster.isTold && { cluster: { servers, beside } }),
    connections: Math.round(outcome.connections ?? atRest.connections * subscribers),
    saturated: outcome.part === 'overload' || [...servers, ...beside].some(({ grows }) => grows),
    how: outcome.part === 'whole' ? 'exact' : 'windows',
    extrapolated: Math.max(1, outcome.extrapolated, restFactor),
    expectedError: {
      ...addedError(outcome.expectedError, cluster, figures.latency.endToEnd, input.scenario),
      ...countsAreOff(input.variant.pattern, input.variant.options, ofFront !== undefined),
    },
    leavesOut: [...leavesOut, ...cluster.leavesOut, ...(outcome.leavesOut ?? [])].map(asSentence),
  };
}

/** By how much, at most, as real runs say (test/simulation/models/measured.test.ts). */
function countsAreOff(
  pattern: string,
  options: Variant['options'],
  isBehindFront: boolean,
): Pick<ExpectedError, 'requests' | 'bytes' | 'descriptors'> {
  const isCompressed = options['gzip'] === true || options['deflate'] === true;
  const isBatched = Number(options['batch'] ?? 0) > 0;
  // Connections that clients share, or open for each request, were counted in no run.
  const holdsOne = (options['over'] ?? 'h1') === 'h1' && options['connection'] !== 'close';
  const requests = pattern === 'long-polling' || isCompressed ? 0.02 : 0.01;
  return {
    requests: isBatched ? null : requests,
    bytes: isBehindFront || isCompressed || isBatched ? null : 0.01,
    descriptors: isBehindFront || !holdsOne ? null : 0.01,
  };
}

function asSentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
