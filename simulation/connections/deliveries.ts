// Delivers events to each server's clients, and missed events to clients that come back. Clients that follow
// the same topics at the same server are one count, and an event is a few lines in time however many get it.

import type { Random } from '../../core/base/random.ts';
import type { Costs } from '../costs/costs.ts';
import { createFanOuts, linesOf, type FanOut, type FanOuts } from '../models/fan-out.ts';
import type { Followers } from '../models/followers.ts';
import type { Sized } from '../models/stream-kind.ts';
import type { Tally } from '../models/tally.ts';
import type { Found, Log, Returning } from './log.ts';
import type { ServerState } from './server-state.ts';

export type Deliveries = {
  topicsOf(client: number): readonly number[];
  joined(client: number, server: number): void;
  left(client: number, server: number): void;
  /** Servers take an event. @param acceptedUs when, which may be after it was planned */
  publish(event: Sized, acceptedUs: number): void;
  /** A client is sent what a server found for it. @returns how many events of the measured phase it misses */
  resumed(returning: Returning, found: readonly Found[], atUs: number): number;
  /** What a client misses that is away in the end. */
  missedBy(client: number, lostAt: number): number;
  /** How far outside of the profile the furthest event was. */
  extrapolated(): number;
  /** Deliveries of events that a client had before, and deliveries that a return brought. */
  counts(): { duplicated: number; resumed: number };
  /** Puts first, median and last receivers into the tally. */
  finish(): void;
};

export type DeliveriesOptions = {
  followers: Followers;
  servers: readonly ServerState[];
  log: Log;
  costs: Costs;
  tally: Tally;
  random: Random;
  rateAt: (atUs: number) => number;
  /** Work of a server's thread for events. */
  asked(server: number, atUs: number, tookUs: number): void;
  /** Delivers to each client by itself: calls `get` for each that a server has, in their order. */
  each?: (server: ServerState, get: (client: number) => void) => void;
};

/** Cells of the table of counts at most; with more an event goes through the members of its classes. */
const mostCells = 4_000_000;

export function createDeliveries(options: DeliveriesOptions): Deliveries {
  const { followers, servers, log, tally, each } = options;
  const receivers = each ? eachReceivers(options, each) : countedReceivers(options);
  const receipts = createReceipts(log, tally);
  const fanOuts = servers.map((server) => fanOutsOf(server, options));
  const topicsOf = rememberedTopics(followers);
  const isMeasured = (event: number) => tally.isMeasured(log.plannedUs(event));
  const counts = { duplicated: 0, resumed: 0 };

  /** Of a topic's events from `from` to `to` - 1, those of the measured phase. */
  const measured = (topic: number, from: number, to: number) =>
    log.plannedWithin(topic, from, to, 0, tally.measureUs);

  return {
    topicsOf,
    joined: receivers.joined,
    left: receivers.left,
    publish(event, acceptedUs) {
      const { atUs, topic, bytes, bodyBytes } = event;
      const number = log.size();
      log.add(event);
      tally.published(atUs, receivers.following(topic));
      const lateUs = acceptedUs - atUs;
      const perS = options.rateAt(atUs);
      for (const server of servers) {
        const count = receivers.count(topic, server.place);
        if (count === 0) continue;
        const place = { atUs: acceptedUs, perS, payloadBytes: bodyBytes, receivers: alike(count) };
        const fanOut = { ...fanOuts[server.place]!.of(place), count };
        receivers.deliver(topic, server, fanOut, (firstUs, stepUs, some) => {
          if (some === 1) tally.deliveredOne(atUs, lateUs + firstUs, bytes);
          else tally.delivered(atUs, lateUs + firstUs, stepUs, some, bytes);
        });
        receipts.fanOut(number, fanOut, lateUs);
      }
      receipts.published(number, receivers.following(topic));
    },
    resumed({ lostAt, topics }, found, atUs) {
      let missed = 0;
      for (const [i, { from, to, again }] of found.entries()) {
        const topic = topics[i]!;
        const events = log.ofTopic(topic);
        const had = log.before(topic, lostAt);
        missed += measured(topic, had, from);
        for (let k = from; k < to; k++) {
          const event = events[k]!;
          const isAgain = k < from + again;
          if (!isMeasured(event)) continue;
          if (isAgain) counts.duplicated++;
          else {
            const us = atUs - log.plannedUs(event);
            tally.deliveredOne(log.plannedUs(event), us, log.bytes(event));
            receipts.late(event, us);
            counts.resumed++;
          }
        }
      }
      return missed;
    },
    missedBy: (client, lostAt) =>
      topicsOf(client).reduce(
        (sum, topic) => sum + measured(topic, log.before(topic, lostAt), log.ofTopic(topic).length),
        0,
      ),
    extrapolated: () => Math.max(1, ...fanOuts.map((one) => one.extrapolated())),
    counts: () => counts,
    finish: receipts.finish,
  };
}

/** What a server writes, on the thread of the process that runs. */
function fanOutsOf(server: ServerState, { costs, tally, random, asked }: DeliveriesOptions): FanOuts {
  const thread = {
    serve: (atUs: number, tookUs: number) => server.thread.serve(atUs, tookUs),
    freeAtUs: () => server.thread.freeAtUs(),
  };
  const work = {
    asked: (atUs: number, tookUs: number) => asked(server.place, atUs, tookUs),
    worked: (fromUs: number, tookUs: number) => tally.works[0]!.worked(fromUs, tookUs),
  };
  return createFanOuts(costs, thread, work, random);
}

/** Where there are few classes, each is computed once. */
function rememberedTopics({ classes, topicsOf }: Followers): Deliveries['topicsOf'] {
  if (classes > mostRemembered) return (client) => topicsOf(client % classes);
  const known: (readonly number[])[] = [];
  return (client) => (known[client % classes] ??= topicsOf(client % classes));
}

const mostRemembered = 100_000;

/**
 * Costs are looked up for numbers of receivers that differ by a percent at most: while clients come and
 * go, no two events have the same.
 */
function alike(receivers: number): number {
  return receivers < 100 ? receivers : Math.round(Math.exp(Math.round(Math.log(receivers) * 50) / 50));
}

type Receivers = Pick<Deliveries, 'joined' | 'left'> & {
  /** How many clients follow a topic. */
  following(topic: number): number;
  /** How many of them are at a server. */
  count(topic: number, server: number): number;
  deliver(
    topic: number,
    server: ServerState,
    fanOut: FanOut,
    line: (firstUs: number, stepUs: number, count: number) => void,
  ): void;
};

function followingIn({ from, list, size }: Followers): Receivers['following'] {
  return (topic) => {
    let sum = 0;
    for (let i = from[topic]!; i < from[topic + 1]!; i++) sum += size(list[i]!);
    return sum;
  };
}

function countedReceivers({ followers, servers }: DeliveriesOptions): Receivers {
  const { classes, from, list, size } = followers;
  const width = servers.length;
  const isTable = classes * width <= mostCells;
  const cells = new Uint32Array(isTable ? classes * width : 0);
  /** Where there is no table: the server of each client, from 1; 0 for none. */
  const at = new Uint8Array(isTable ? 0 : followers.groups.length === 0 ? 0 : sizeOfAll(followers));
  return {
    following: followingIn(followers),
    joined(client, server) {
      if (isTable) cells[(client % classes) * width + server]!++;
      else at[client] = server + 1;
    },
    left(client, server) {
      if (isTable) cells[(client % classes) * width + server]!--;
      else at[client] = 0;
    },
    count(topic, server) {
      let sum = 0;
      for (let i = from[topic]!; i < from[topic + 1]!; i++) {
        const one = list[i]!;
        if (isTable) sum += cells[one * width + server]!;
        else for (let k = 0; k < size(one); k++) if (at[one + k * classes] === server + 1) sum++;
      }
      return sum;
    },
    deliver: (_topic, _server, fanOut, line) => linesOf(fanOut, 0, fanOut.count, line),
  };
}

function sizeOfAll({ classes, size }: Followers): number {
  let sum = 0;
  for (let i = 0; i < classes; i++) sum += size(i);
  return sum;
}

/** Goes through a server's clients one after the other. */
function eachReceivers(
  { followers, servers }: DeliveriesOptions,
  each: NonNullable<DeliveriesOptions['each']>,
): Receivers {
  const topicsOf = rememberedTopics(followers);
  const follows = (client: number, topic: number) => topicsOf(client).includes(topic);
  return {
    following: followingIn(followers),
    joined() {},
    left() {},
    count(topic, place) {
      let sum = 0;
      each(servers[place]!, (client) => void (sum += Number(follows(client, topic))));
      return sum;
    },
    deliver(topic, server, { count, firstUs, medianUs, lastUs }, line) {
      const middle = Math.ceil(count / 2) - 1;
      let k = 0;
      each(server, (client) => {
        if (!follows(client, topic)) return;
        let us = medianUs;
        if (k < middle) us = firstUs + ((medianUs - firstUs) * k) / middle;
        if (k > middle) us = medianUs + ((lastUs - medianUs) * (k - middle)) / (count - 1 - middle);
        line(us, 0, 1);
        k++;
      });
    },
  };
}

/** When each event reached its first, median and last receiver, over all servers and returns. */
function createReceipts(log: Log, tally: Tally) {
  const firstUs: number[] = [];
  const lastUs: number[] = [];
  const medianUs: number[] = [];
  const there: number[] = [];
  const of: number[] = [];
  return {
    published(event: number, following: number): void {
      of[event] = following;
      there[event] ??= 0;
    },
    fanOut(event: number, fanOut: FanOut, lateUs: number): void {
      const before = there[event] ?? 0;
      const all = before + fanOut.count;
      firstUs[event] = Math.min(firstUs[event] ?? Infinity, lateUs + fanOut.firstUs);
      lastUs[event] = Math.max(lastUs[event] ?? 0, lateUs + fanOut.lastUs);
      // Servers are alike, so their medians are near each other.
      medianUs[event] = ((medianUs[event] ?? 0) * before + (lateUs + fanOut.medianUs) * fanOut.count) / all;
      there[event] = all;
    },
    late(event: number, us: number): void {
      lastUs[event] = Math.max(lastUs[event] ?? 0, us);
    },
    /** Where most were away from an event, its median is not known. */
    finish(): void {
      for (let i = 0; i < of.length; i++)
        if (of[i]! > 1 && 2 * there[i]! > of[i]!)
          tally.receivers(log.plannedUs(i), firstUs[i]!, medianUs[i]!, lastUs[i]!);
    },
  };
}
