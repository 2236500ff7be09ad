// What a trial says of subscribers that were away, of which every figure is known.

import type { Recovery } from '../../../core/result/recovery.ts';
import { stored, thousandFrom } from './trial.ts';

export const recovery: Required<Recovery> = {
  subscribers: 4,
  cut: {
    absences: 1001,
    recovered: 1000,
    tooLate: 0,
    fresh: 0,
    neverBack: 1,
    gaveUp: 1,
    downtimeUs: 20_000,
    longestUs: 7000,
    lastBackUs: 9_000_000,
    connected: thousandFrom(901),
    caughtUp: thousandFrom(1001),
  },
  left: {
    absences: 2,
    recovered: 1,
    tooLate: 1,
    fresh: 0,
    neverBack: 0,
    gaveUp: 0,
    downtimeUs: 10_000,
    longestUs: 5000,
    lastBackUs: 8_000_000,
    connected: stored(5000),
    caughtUp: stored(5000),
  },
  missedAway: 9,
  connects: { tried: 50, opened: 40, refused: 33, peakPerS: 800 },
  policy: 'full-jitter (base 100 ms, cap 5 s)',
};
