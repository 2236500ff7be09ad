// Simulates how an event comes to the servers: only to the server that it was published to, or through a
// broker to all of them, a little later on each. A broker is one thread; events that it has no time for wait.

import type { Random } from '../../core/base/random.ts';
import type { BrokerPoint } from '../../core/profile/profile.ts';
import { brokerCostAt } from '../costs/cluster-costs.ts';
import { drawUs } from '../costs/distribution.ts';
import type { InTurn } from './in-turn.ts';
import { createServer } from './server.ts';
import type { Work } from './work.ts';

/** An event at one server. */
export type Arrival = {
  server: number;
  atUs: number;
  /** Extra CPU for it, compared with an event that is published to this server without a broker. */
  beyondUs: number;
  /** Extra CPU of all servers together, compared with an event published to one without a broker. */
  furtherUs: number;
};

export type Arrivals = {
  /** Calls come in the order of time; the answer is good until the next one. */
  of(event: { atUs: number; topic: number }): readonly Arrival[];
  extrapolated(): number;
};

/** Each event is at one server, and nobody else learns of it. */
export function arrivalsApart(inTurn: InTurn): Arrivals {
  const only: Arrival = { server: 0, atUs: 0, beyondUs: 0, furtherUs: 0 };
  const all = [only];
  return {
    of({ atUs, topic }) {
      only.server = inTurn(atUs, topic);
      only.atUs = atUs;
      return all;
    },
    extrapolated: () => 1,
  };
}

export type Through = {
  servers: number;
  inTurn: InTurn;
  points: readonly BrokerPoint[];
  rateAt: (atUs: number) => number;
  work: Work;
  /** Of each server, since what one waits for does not keep the others. */
  randoms: readonly Random[];
};

export function arrivalsThrough({ servers, inTurn, points, rateAt, work, randoms }: Through): Arrivals {
  const broker = createServer();
  let extrapolated = 1;
  let last = { perS: NaN, cost: brokerCostAt(points, points[0]!.perS) };
  const all = Array.from({ length: servers }, (_, server): Arrival => ({
    server,
    atUs: -Infinity,
    beyondUs: 0,
    furtherUs: 0,
  }));
  return {
    of({ atUs, topic }) {
      const perS = rateAt(atUs);
      if (perS !== last.perS) last = { perS, cost: brokerCostAt(points, perS) };
      const { cost } = last;
      extrapolated = Math.max(extrapolated, cost.extrapolated);
      const publishedTo = inTurn(atUs, topic);
      const tookUs = cost.brokerCpuUs + (servers - 1) * cost.brokerCpuEachUs;
      const beginsUs = broker.serve(atUs, tookUs);
      work.asked(atUs, tookUs);
      work.worked(beginsUs, tookUs);
      for (const one of all) {
        const isPublishedTo = one.server === publishedTo;
        const cpuUs = isPublishedTo ? cost.publishedCpuUs : cost.receivedCpuUs;
        // A server takes events in their order.
        one.atUs = Math.max(one.atUs, beginsUs + drawUs(cost.delayUs, randoms[one.server]!()));
        one.beyondUs = cpuUs - cost.directCpuUs;
        one.furtherUs = isPublishedTo ? one.beyondUs : cpuUs;
      }
      return all;
    },
    extrapolated: () => extrapolated,
  };
}
