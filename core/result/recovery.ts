// Describes what a trial says of subscribers that were away: who was cut off or left, who came back, how
// soon, and how many connections were opened at once.

import { z } from 'zod';
import type { SparseHistogram } from './histogram.ts';
import { storedHistogram } from './stored-histogram.ts';

/** Why a subscriber was away: it was cut off, or left voluntarily as a fault of the scenario told it to. */
export const absenceCauses = ['cut', 'left'] as const;
export type AbsenceCause = (typeof absenceCauses)[number];

/** Width of a bin of the connections over time. */
export const connectBinUs = 100_000;
const binsPerS = 1_000_000 / connectBinUs;

/** How absences of one cause ended; every one is among the last four. */
export type AbsenceCounts = {
  absences: number;
  /** The server went on from the subscriber's cursor, or had kept a queue for it. */
  recovered: number;
  /** The server told it that its cursor came too late. */
  tooLate: number;
  /** It came back without a cursor. */
  fresh: number;
  /** It was not back when the subscribers were closed. */
  neverBack: number;
};

/** What one load process says of absences of one cause. */
export type LoadAbsences = AbsenceCounts & {
  /** Of those never back: it had given up, or the server had told it not to come back. */
  gaveUp: number;
  /** Of the measured phase and the drain, added up over the subscribers. */
  downtimeUs: number;
  longestUs: number;
  /** When the last subscriber came back, on the host's clock; 0 where none did. */
  lastBackUs: number;
  /** From the loss to being subscribed again, for all subscribers that came back. */
  connected: SparseHistogram;
  /** From the loss to the last resumed event, for all subscribers that recovered. */
  caughtUp: SparseHistogram;
};

/** From the start of the measured phase to the close. */
export type LoadConnects = {
  tried: number;
  opened: number;
  refused: number;
  /** Bins in which connections were opened, from the start of the measured phase, and how many in each. */
  bins: Int32Array;
  counts: Uint32Array;
};

/** What one load process says of its subscribers' absences. */
export type LoadRecovery = Record<AbsenceCause, LoadAbsences> & {
  /** Subscribers that were away at least once. */
  subscribers: number;
  /** Of the missed deliveries, those of events that a subscriber lost by being away. */
  missedAway: number;
  connects: LoadConnects;
};

const count = z.int().min(0);

export const absences = z.strictObject({
  absences: count.describe('how many there were'),
  recovered: count.describe('the server continued from the cursor, or from a queue that it had kept'),
  tooLate: count.describe('told by the server that the cursor came too late'),
  fresh: count.describe('came back without a cursor'),
  neverBack: count.describe('not subscribed again when the subscribers were closed'),
  gaveUp: count.describe('those of them that had given up or were told not to come back'),
  downtimeUs: z
    .number()
    .min(0)
    .describe('time away within the measured phase and the drain, summed over the subscribers'),
  longestUs: z
    .number()
    .min(0)
    .describe('the longest absence; an absence that did not end counts up to the close'),
  lastBackUs: z
    .number()
    .optional()
    .describe(
      'when the last client that came back was subscribed again, from the start of the measured phase; ' +
        'left out if none was, and in older results',
    ),
  connected: storedHistogram.describe('time from the loss to being subscribed again, for all that came back'),
  caughtUp: storedHistogram.describe(
    'time from the loss to the last event that was resumed, for those that recovered',
  ),
});

export const recovery = z.strictObject({
  subscribers: count.describe('subscribers that were away at least once'),
  cut: absences.optional().describe('clients that were cut off; left out if there were none'),
  left: absences
    .optional()
    .describe('clients that left because of the fault `leave`; left out if there were none'),
  missedAway: count.describe('missed deliveries of events that a subscriber lost because it was away'),
  connects: z
    .strictObject({
      tried: count.describe('connections that subscribers began to open'),
      opened: count.describe('those of them that were opened'),
      refused: count.describe('attempts that ended before the subscriber was subscribed'),
      peakPerS: count.describe('most connections opened in a second, among seconds that begin every 100 ms'),
    })
    .describe('from the start of the measured phase to the close'),
  policy: z.string().describe('how clients came back, in words'),
});

export type Recovery = z.infer<typeof recovery>;
export type Absences = z.infer<typeof absences>;

/**
 * The most connections that were opened in any second that begins with a bin.
 * @param all of each load process; their bins are on one clock
 */
export function peakPerS(all: readonly Pick<LoadConnects, 'bins' | 'counts'>[]): number {
  const perBin = new Map<number, number>();
  for (const { bins, counts } of all)
    bins.forEach((bin, i) => perBin.set(bin, (perBin.get(bin) ?? 0) + counts[i]!));
  const filled = [...perBin].sort(([a], [b]) => a - b);
  let [most, sum, from] = [0, 0, 0];
  for (const [bin, opened] of filled) {
    sum += opened;
    while (filled[from]![0] <= bin - binsPerS) sum -= filled[from++]![1];
    most = Math.max(most, sum);
  }
  return most;
}
