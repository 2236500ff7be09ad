// Simulates the fan-outs of an event on all servers that it comes to, each with a thread of its own, and what
// becomes of them on the way through HAProxy.

import type { Costs } from '../costs/costs.ts';
import type { Arrival } from './arrivals.ts';
import type { Cluster } from './cluster.ts';
import type { Load } from './demand.ts';
import { createFanOuts, since, together, type FanOut } from './fan-out.ts';
import { createRate, type Prepared } from './prepare.ts';
import type { Tally } from './tally.ts';
import type { Work } from './work.ts';

export type ServerFanOuts = {
  /**
   * @param receivers of each server
   * @returns a fan-out for each arrival, told from when the event was planned
   */
  of(
    arrivals: readonly Arrival[],
    event: { atUs: number; bodyBytes: number; receivers: readonly number[] },
  ): readonly FanOut[];
  /** Servers take an event that they answer nobody with, or not yet. */
  takenOnly(arrivals: readonly Arrival[]): void;
  /** What a server answers at another time than an event's: at the rate that its last event came at. */
  later(server: number, asked: { atUs: number; payloadBytes: number; receivers: number }): FanOut;
  /** What each server, and HAProxy where it is, was asked for up to a moment. */
  loadsAt(atUs: number): readonly Load[];
  extrapolated(): number;
};

export function createServerFanOuts(
  costs: Costs,
  cluster: Pick<Cluster, 'count' | 'randoms' | 'ratePerServer' | 'front' | 'newThread'>,
  works: readonly Work[],
  { steady, perS }: Pick<Prepared, 'steady' | 'perS'>,
): ServerFanOuts {
  const { count, front } = cluster;
  const randoms = cluster.randoms('latency');
  const ownPerS = cluster.ratePerServer(perS);
  const all = Array.from({ length: count }, (_, i) => {
    const thread = cluster.newThread();
    return {
      thread,
      work: works[i]!,
      fanOuts: createFanOuts(costs, thread, works[i]!, randoms[i]!),
      rateAt: createRate({ steady, perS: ownPerS }),
      /** As its last event came. */
      perS: ownPerS,
    };
  });
  /** An event has come to a server, which may answer it at another time, or nobody. */
  const came = ({ server, atUs }: Arrival) => {
    const one = all[server]!;
    one.perS = one.rateAt(atUs);
  };
  const beside = front ? [front.work] : [];
  return {
    of(arrivals, { atUs, bodyBytes, receivers }) {
      if (arrivals.length === 0) return [];
      const some = arrivals.map((one) => {
        came(one);
        const { fanOuts, perS: nowPerS } = all[one.server]!;
        const fanOut = fanOuts.of({
          atUs: one.atUs,
          perS: nowPerS,
          payloadBytes: bodyBytes,
          receivers: receivers[one.server]!,
          beyondUs: one.beyondUs,
        });
        return since(fanOut, one.atUs - atUs);
      });
      return front ? front.pass(atUs, some) : some;
    },
    takenOnly(arrivals) {
      for (const one of arrivals) {
        const { server, atUs, furtherUs } = one;
        came(one);
        if (furtherUs <= 0) continue;
        works[server]!.asked(atUs, furtherUs);
        works[server]!.worked(atUs, furtherUs);
      }
    },
    later(server, asked) {
      const { fanOuts, perS: nowPerS } = all[server]!;
      return fanOuts.of({ ...asked, perS: nowPerS });
    },
    loadsAt: (atUs) => [
      ...all.map(({ thread, work }) => work.loadAt(atUs, thread.freeAtUs())),
      ...beside.map((work) => work.loadAt(atUs)),
    ],
    extrapolated: () => Math.max(...all.map(({ fanOuts }) => fanOuts.extrapolated())),
  };
}

/** When the first, the median and the last of all receivers have an event that has several. */
export function noteReceivers(
  tally: Pick<Tally, 'receivers'>,
  atUs: number,
  fanOuts: readonly FanOut[],
): void {
  if (fanOuts.reduce((sum, { count }) => sum + count, 0) < 2) return;
  const { firstUs, medianUs, lastUs } = together(fanOuts);
  tally.receivers(atUs, firstUs, medianUs, lastUs);
}
