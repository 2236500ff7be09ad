// Counts the connections of a load process: how many were tried, opened and refused, and how many in each
// tenth of a second, so that those of several processes can be added up.

import { connectBinUs, type LoadConnects } from '../../core/result/recovery.ts';

export type ConnectLog = {
  /** A connection is being opened. */
  tried(atUs: number): void;
  /** It can be used. */
  opened(atUs: number): void;
  /** An attempt ended before the subscriber was subscribed. */
  refused(atUs: number): void;
};

/** @returns the log, which counts nothing before `countFrom` and nothing from `closing` on */
export function createConnectLog() {
  const perBin = new Map<number, number>();
  const counts = { tried: 0, opened: 0, refused: 0 };
  let [fromUs, toUs] = [Infinity, Infinity];
  const isCounted = (atUs: number) => atUs >= fromUs && atUs < toUs;
  const log: ConnectLog = {
    tried(atUs) {
      if (isCounted(atUs)) counts.tried++;
    },
    opened(atUs) {
      if (!isCounted(atUs)) return;
      counts.opened++;
      const bin = Math.floor((atUs - fromUs) / connectBinUs);
      perBin.set(bin, (perBin.get(bin) ?? 0) + 1);
    },
    refused(atUs) {
      if (isCounted(atUs)) counts.refused++;
    },
  };
  return {
    log,
    countFrom(atUs: number): void {
      fromUs = atUs;
    },
    closing(atUs: number): void {
      toUs = atUs;
    },
    close(): LoadConnects {
      const filled = [...perBin].sort(([a], [b]) => a - b);
      return {
        ...counts,
        bins: Int32Array.from(filled, ([bin]) => bin),
        counts: Uint32Array.from(filled, ([, opened]) => opened),
      };
    },
  };
}
