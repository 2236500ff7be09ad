// Puts the cluster of a trial together: which server a subscriber is at, how events come to the servers, and
// the proxy in front. A server by itself is a cluster of one.

import type { Random } from '../../core/base/random.ts';
import type { Profile, ProfileCluster, ThroughFront } from '../../core/profile/profile.ts';
import { areApart, isCluster, type Servers } from '../../core/scenario/servers.ts';
import { topicCount } from '../../core/scenario/topics.ts';
import { UserError } from '../../core/base/errors.ts';
import { chooseAmong } from '../costs/chosen-variant.ts';
import { brokerCostAt, frontCostAt } from '../costs/cluster-costs.ts';
import { drawUs } from '../costs/distribution.ts';
import type { ModelInput } from '../model.ts';
import { arrivalsApart, arrivalsThrough, type Arrivals } from './arrivals.ts';
import { createFront, type Front } from './front.ts';
import { createInTurn } from './in-turn.ts';
import { createRate, type Prepared } from './prepare.ts';
import { threadMaker, type Server } from './server.ts';
import type { Tally } from './tally.ts';
import type { Work } from './work.ts';

export type Cluster = {
  count: number;
  /** At which server a class of subscribers is, or one by its number. */
  serverOf(number: number): number;
  /** How many subscribers a server has. */
  sizeOf(server: number): number;
  /** Events of one server a second, where all together have so many. */
  ratePerServer(perS: number): number;
  arrivals: Arrivals;
  broker: BrokerBeside | undefined;
  front: FrontBeside | undefined;
  /** The thread of one more server. */
  newThread: () => Server;
  /** A stream of random numbers for each server; the first has the one that a single server would have. */
  randoms(stream: string): Random[];
  extrapolated(): number;
  leavesOut: string[];
  /** Whether each process has figures of its own. */
  isTold: boolean;
};

export type BrokerBeside = { work: Work; of: NonNullable<ProfileCluster['brokers']['nats']> };
export type FrontBeside = Front & { of: ThroughFront };

export type Around = {
  /** From an event's publishing to its answer, at one server. */
  answerUs(): number;
  /** Where HAProxy is: so many subscribers, or as many as ask as often. */
  passing: number;
};

export function createCluster(
  input: ModelInput,
  prepared: Prepared,
  tally: Pick<Tally, 'addWork'>,
  { answerUs, passing }: Around,
): Cluster {
  const { scenario, random, profile } = input;
  const { servers, subscribers } = scenario;
  const { count } = servers;
  const randoms = (stream: string) =>
    Array.from({ length: count }, (_, i) => random(i === 0 ? stream : `${stream} of server ${i + 1}`));
  const topics = topicCount(prepared.followers.groups);
  const through = brokerIn(servers, profile);
  const perS = Math.max(prepared.perS, 1e-6);
  const front = frontOf(input, perS, passing, tally);
  const common = {
    count,
    serverOf: (number: number) => number % count,
    sizeOf: (server: number) => Math.floor(subscribers / count) + (server < subscribers % count ? 1 : 0),
    ratePerServer: (all: number) => (areApart(servers) ? all / count : all),
    randoms,
    front,
    newThread: threadMaker(input.oneCore),
    leavesOut: leftOut(input, prepared),
    isTold: isCluster(servers),
  };
  const frontExtrapolated = front?.cost.extrapolated ?? 1;
  if (!through) {
    const arrivals = arrivalsApart(createInTurn(count, topics, count > 1 ? answerUs() : 0));
    return { ...common, arrivals, broker: undefined, extrapolated: () => frontExtrapolated };
  }
  const work = tally.addWork();
  const { points } = through;
  const confirmUs = answerUs() + drawUs(brokerCostAt(points, perS).delayUs, 0.5);
  const arrivals = arrivalsThrough({
    servers: count,
    inTurn: createInTurn(count, topics, confirmUs),
    points,
    rateAt: createRate(prepared),
    work,
    randoms: randoms('broker'),
  });
  return {
    ...common,
    arrivals,
    broker: { work, of: through },
    extrapolated: () => Math.max(frontExtrapolated, arrivals.extrapolated()),
  };
}

/** @throws UserError `not-calibrated` */
function brokerIn({ broker: { kind } }: Servers, { cluster, name }: Profile) {
  if (kind === 'in-process') return undefined;
  const measured = cluster?.brokers[kind];
  if (!measured) throw new UserError('not-calibrated', `the profile "${name}" has no figures of ${kind}`);
  return measured;
}

/** @throws UserError `not-calibrated` */
function frontOf(
  { scenario, variant, profile, random }: ModelInput,
  perS: number,
  passing: number,
  tally: Pick<Tally, 'addWork'>,
): FrontBeside | undefined {
  if (scenario.servers.inFront.kind === 'list') return undefined;
  const of = chooseAmong(Object.values(profile.cluster?.haproxy?.variants ?? {}), variant)?.measured;
  if (!of)
    throw new UserError(
      'not-calibrated',
      `the profile "${profile.name}" has no figures of ${variant.pattern} through HAProxy`,
    );
  const cost = frontCostAt(of.points, { subscribers: Math.max(1, passing), perS });
  return { ...createFront(cost, tally.addWork(), random('front')), of };
}

function leftOut({ scenario: { servers }, variant, profile }: ModelInput, { measured }: Prepared): string[] {
  if (!isCluster(servers)) return [];
  const { count, broker, inFront } = servers;
  const { cores } = profile.environment;
  const asked = count + Number(broker.kind !== 'in-process') + Number(inFront.kind !== 'list');
  const isAsked = measured.pattern === 'polling' || measured.pattern === 'long-polling';
  return [
    ...(asked > cores
      ? [
          `how long ${asked} processes (${count} of servers) wait for one another on the ${cores} cores of ` +
            "the profile's machine: here each has a core of its own",
        ]
      : []),
    ...(inFront.kind === 'list'
      ? []
      : [
          'an uneven distribution by HAProxy: subscribers are given to the servers in turn',
          'CPU that servers spend or save because their connections come from HAProxy',
          ...(variant.pattern === 'websocket'
            ? []
            : ['changes of HAProxy to heads, chunks and cookies: bytes are those without it']),
          ...(isAsked && inFront.kind === 'haproxy' && count > 1
            ? ['requests that go to another server than the one before']
            : []),
        ]),
  ];
}
