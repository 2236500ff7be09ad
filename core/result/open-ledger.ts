// Decides whether the ledger of a trial closes: every delivery that was expected is accounted for, and none
// came that was not. What rests on a ledger that does not close is void.

import type { Completed } from './result.ts';
import { counted } from '../base/counted.ts';
import { formatNumber } from '../base/units.ts';

/** Why the ledger does not close, a clause each; none where it does. */
export function openLedger({ ledger, processes }: Pick<Completed, 'ledger' | 'processes'>): string[] {
  const { unconfirmed, expected, delivered, missed, unreported = 0, unexpected } = ledger;
  return [
    unconfirmed > 0
      ? `${counted(unconfirmed, 'published event was', 'published events were')} never confirmed`
      : '',
    delivered + missed + unreported !== expected
      ? `delivered and missed do not add up to the ${formatNumber(expected)} expected`
      : '',
    unexpected > 0 ? `${counted(unexpected, 'event', 'events')} arrived that nobody had asked for` : '',
    // Nothing adds up to nothing.
    processes.some(({ role }) => role === 'load') ? '' : 'no load process reported',
  ].filter((reason) => reason !== '');
}
