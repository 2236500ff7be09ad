// Keeps the account of clients that were away and of the connections that they opened, as load processes do
// (load/account/absences.ts, load/wire/connect-log.ts), from the start of the measured phase to the close.

import { newSimulatedHistogram, record, toSparse } from '../../core/result/histogram.ts';
import {
  absenceCauses,
  connectBinUs,
  type AbsenceCause,
  type LoadRecovery,
} from '../../core/result/recovery.ts';

export type Account = {
  lost(client: number, atUs: number, cause: AbsenceCause): void;
  /** It is subscribed again. @param how whether the server still had the events after its cursor */
  back(client: number, atUs: number, how: 'recovered' | 'tooLate'): void;
  /** It does not try any more. */
  gaveUp(client: number): void;
  /** Missed deliveries that fell into absences. */
  missed(count: number): void;
  tried(): void;
  opened(atUs: number): void;
  refused(): void;
  /** How many were cut off and are still trying to come back. */
  coming(): number;
  /** Those who are away count as away until then. */
  close(atUs: number): LoadRecovery;
};

/** @param originUs added to all moments, so that no real moment is 0 */
export function createAccount(clients: number, originUs: number): Account {
  const lostUs = new Float64Array(clients);
  const causes = new Uint8Array(clients);
  const away = new Uint8Array(clients);
  const wasAway = new Uint8Array(clients);
  const groups = absenceCauses.map(newGroup);
  const connects = { tried: 0, opened: 0, refused: 0 };
  const bins: number[] = [];
  let coming = 0;
  let missedAway = 0;

  function count(client: number, endUs: number): Group {
    const group = groups[causes[client]!]!;
    group.absences++;
    group.downtimeUs += endUs - lostUs[client]!;
    group.longestUs = Math.max(group.longestUs, endUs - lostUs[client]!);
    return group;
  }

  return {
    lost(client, atUs, cause) {
      lostUs[client] = atUs;
      causes[client] = absenceCauses.indexOf(cause);
      away[client] = wasAway[client] = 1;
      if (cause === 'cut') coming++;
    },
    back(client, atUs, how) {
      const group = count(client, atUs);
      away[client] = 0;
      if (causes[client] === 0) coming--;
      group[how]++;
      group.lastBackUs = Math.max(group.lastBackUs, atUs + originUs);
      const us = Math.round(atUs - lostUs[client]!);
      record(group.connected, us);
      if (how === 'recovered') record(group.caughtUp, us);
    },
    gaveUp(client) {
      if (causes[client] === 0 && away[client] === 1) coming--;
      away[client] = 2;
    },
    missed: (more) => void (missedAway += more),
    tried: () => void connects.tried++,
    opened(atUs) {
      connects.opened++;
      const bin = Math.floor(atUs / connectBinUs);
      bins[bin] = (bins[bin] ?? 0) + 1;
    },
    refused: () => void connects.refused++,
    coming: () => coming,
    close(atUs) {
      for (let i = 0; i < clients; i++) {
        if (away[i] === 0) continue;
        const group = count(i, atUs);
        group.neverBack++;
        if (away[i] === 2) group.gaveUp++;
      }
      const [cut, left] = groups.map(({ connected, caughtUp, ...counts }) => ({
        ...counts,
        connected: toSparse(connected),
        caughtUp: toSparse(caughtUp),
      }));
      const filled = [...bins.keys()].filter((bin) => bins[bin] !== undefined);
      return {
        cut: cut!, // as many as there are causes
        left: left!,
        subscribers: wasAway.reduce((sum, one) => sum + one, 0),
        missedAway,
        connects: {
          ...connects,
          bins: Int32Array.from(filled),
          counts: Uint32Array.from(filled, (bin) => bins[bin]!),
        },
      };
    },
  };
}

type Group = ReturnType<typeof newGroup>;

function newGroup() {
  return {
    absences: 0,
    recovered: 0,
    tooLate: 0,
    fresh: 0,
    neverBack: 0,
    gaveUp: 0,
    downtimeUs: 0,
    longestUs: 0,
    lastBackUs: 0,
    connected: newSimulatedHistogram(),
    caughtUp: newSimulatedHistogram(),
  };
}
