// Adds up what servers and connections were used for: CPU and handshakes by server and slot of time, how many
// clients each had, and for how long clients were there at all.

import type { ServerFigures, Slot } from '../model.ts';
import { createCosts } from '../costs/costs.ts';
import { demandOf, type Demand } from '../models/demand.ts';
import type { Prepared } from '../models/prepare.ts';
import { slotUsOf, type Tally } from '../models/tally.ts';
import type { Deliveries } from './deliveries.ts';
import type { Time } from './time.ts';
import type { World } from './world.ts';

export type Use = ReturnType<typeof createUse>;

/** @param servers how many run from the start, and how many with those that a fault starts */
export function createUse(
  prepared: Prepared,
  { running, all: servers }: { running: number; all: number },
  time: Time,
  tally: Tally,
) {
  const { measureUs, subscribers, measured } = prepared;
  const { connectBytesIn, connectBytesOut } = measured.atRest;
  const slotUs = slotUsOf(measureUs);
  const slots = Math.ceil(measureUs / slotUs);
  const cpuUs = new Float64Array(servers);
  const askedUs = Array.from({ length: servers }, () => new Float64Array(slots));
  const largestUs = new Float64Array(servers);
  const shook = new Float64Array(slots);
  const connected = new Float64Array(slots);
  const handshakes = new Float64Array(servers);
  const members = new Float64Array(servers);
  const most = new Float64Array(servers);
  const atFirst = new Float64Array(servers);
  const inTheEnd = new Float64Array(servers);
  const idle = createCosts(measured).idleShare(subscribers / running);
  // Nothing is known of one that a fault starts (harness/trial/idle.ts), and then another one has ended.
  const idleOf = (server: number) => (server < running ? idle : 0);
  const presence = createPresence(time, measureUs);
  let closed = 0;

  const workedAt = (server: number, fromUs: number, tookUs: number) => {
    cpuUs[server]! += Math.max(0, Math.min(measureUs, fromUs + tookUs) - Math.max(0, fromUs));
  };

  return {
    tally,
    asked(server: number, atUs: number, tookUs: number): void {
      workedAt(server, atUs, tookUs);
      largestUs[server] = Math.max(largestUs[server]!, tookUs);
      if (tally.isMeasured(atUs)) askedUs[server]![Math.floor(atUs / slotUs)]! += tookUs;
    },
    connecting(server: number, fromUs: number, tookUs: number): void {
      workedAt(server, fromUs, tookUs);
      tally.works[0]!.worked(fromUs, tookUs);
    },
    handshake(atUs: number, server: number): void {
      if (!tally.isMeasured(atUs)) return;
      shook[Math.floor(atUs / slotUs)]!++;
      handshakes[server]!++;
    },
    /** The same deliveries, and who is where is noted. */
    watched: (deliveries: Deliveries): Deliveries => ({
      ...deliveries,
      joined(client, server) {
        presence.passed(1);
        members[server]!++;
        most[server] = Math.max(most[server]!, members[server]!);
        deliveries.joined(client, server);
      },
      left(client, server) {
        presence.passed(-1);
        members[server]!--;
        if (tally.isMeasured(time.nowUs())) closed++;
        deliveries.left(client, server);
      },
    }),
    sampleSlots({ clients }: World): void {
      time.later(0, () => atFirst.set(members));
      for (let i = 0; i < slots; i++)
        time.later(Math.min(measureUs, (i + 1) * slotUs) - 1, () => void (connected[i] = clients.here));
    },
    /** The measured phase is over. */
    measured(): void {
      presence.passed(0);
      inTheEnd.set(members);
    },
    /** The mean share of the clients that were there. */
    hereShare: () => presence.hereUs() / (measureUs * subscribers),
    /** Of all servers. */
    idleShare: () => idle * running,
    /** What events alone ask of the server that is asked for the most. */
    demand: (): Demand =>
      askedUs
        .map((one, i) =>
          demandOf({
            askedUs: Array.from(one),
            measureUs,
            slotUs,
            largestUs: largestUs[i]!,
            idleShare: idleOf(i),
          }),
        )
        .reduce((most, one) => {
          if (one.grows !== most.grows) return one.grows ? one : most;
          return one.askedShare > most.askedShare ? one : most;
        }),
    addConnecting(): void {
      const all = shook.reduce((sum, one) => sum + one, 0);
      tally.add('handshakes', all);
      tally.add('reconnects', all);
      tally.add('connectionsOpened', all);
      tally.add('connectionsClosed', closed);
      tally.add('bytesIn', all * connectBytesIn);
      tally.add('bytesOut', all * connectBytesOut);
    },
    fillSlots(all: Slot[]): void {
      for (const [i, slot] of all.entries()) {
        slot.connected = connected[i]!;
        slot.requests += shook[i]!;
        slot.bytesOut += shook[i]! * connectBytesOut;
      }
    },
    perServer: (): ServerFigures[] =>
      Array.from(cpuUs, (us, i) => ({
        cpuUs: us + idleOf(i) * measureUs,
        idleShare: idleOf(i),
        handshakes: handshakes[i]!,
        subscribers: inTheEnd[i]!,
        subscribersAtFirst: atFirst[i]!,
        subscribersAtMost: most[i]!,
      })),
  };
}

/** For how long clients were there within the measured phase, added up. */
function createPresence(time: Time, measureUs: number) {
  let here = 0;
  let sinceUs = 0;
  let sumUs = 0;
  return {
    /** How many are there changes. */
    passed(change: number): void {
      const nowUs = Math.min(measureUs, Math.max(0, time.nowUs()));
      sumUs += here * (nowUs - sinceUs);
      sinceUs = nowUs;
      here += change;
    },
    hereUs: () => sumUs,
  };
}
