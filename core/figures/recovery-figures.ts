// Adds up what the load processes say of subscribers that were away, or a simulation: histograms merged,
// connections put on one clock.

import type { ReconnectPolicy } from '../policy/client/reconnect.ts';
import { merge, newHistogram, storeHistogram, type SparseHistogram } from '../result/histogram.ts';
import { peakPerS, type Absences, type LoadAbsences, type LoadRecovery } from '../result/recovery.ts';
import type { Completed } from '../result/result.ts';
import { reconnectWords } from '../scenario/reconnect-words.ts';

/**
 * Nothing where no subscriber was away.
 * @param fromUs when the measured phase began
 */
export function recoveryOf(
  closed: readonly { recovery?: LoadRecovery | undefined }[],
  reconnect: ReconnectPolicy,
  fromUs: number,
): Pick<Completed, 'recovery'> {
  const all = closed.flatMap(({ recovery }) => recovery ?? []);
  const [cut, left] = [
    addedUp(
      all.map((one) => one.cut),
      fromUs,
    ),
    addedUp(
      all.map((one) => one.left),
      fromUs,
    ),
  ];
  if (!cut && !left) return {};
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    recovery: {
      subscribers: sum((one) => one.subscribers),
      ...(cut && { cut }),
      ...(left && { left }),
      missedAway: sum((one) => one.missedAway),
      connects: {
        tried: sum(({ connects }) => connects.tried),
        opened: sum(({ connects }) => connects.opened),
        refused: sum(({ connects }) => connects.refused),
        peakPerS: peakPerS(all.map(({ connects }) => connects)),
      },
      policy: reconnectWords(reconnect),
    },
  };
}

/** Undefined where there was no absence. */
function addedUp(all: readonly LoadAbsences[], fromUs: number): Absences | undefined {
  const sum = (key: Exclude<keyof LoadAbsences, 'longestUs' | 'lastBackUs' | 'connected' | 'caughtUp'>) =>
    all.reduce((total, one) => total + one[key], 0);
  if (sum('absences') === 0) return undefined;
  const lastBackUs = Math.max(...all.map((one) => one.lastBackUs));
  return {
    absences: sum('absences'),
    recovered: sum('recovered'),
    tooLate: sum('tooLate'),
    fresh: sum('fresh'),
    neverBack: sum('neverBack'),
    gaveUp: sum('gaveUp'),
    downtimeUs: sum('downtimeUs'),
    longestUs: Math.max(...all.map(({ longestUs }) => longestUs)),
    ...(lastBackUs > 0 && { lastBackUs: lastBackUs - fromUs }),
    connected: merged(all.map(({ connected }) => connected)),
    caughtUp: merged(all.map(({ caughtUp }) => caughtUp)),
  };
}

function merged(all: readonly SparseHistogram[]): Absences['connected'] {
  const whole = newHistogram();
  for (const one of all) merge(whole, one);
  return storeHistogram(whole);
}
