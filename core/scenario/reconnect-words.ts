// Says in words how subscribers come back when they were cut off.

import { formatUs } from '../base/units.ts';

/** A policy without a name is full jitter. */
type Reconnect = { policy?: string; base: number; cap: number; advice?: string };

/** Policies whose waits are known by their two bounds; the others have waits of their own. */
const boundedBy: readonly string[] = ['full-jitter', 'decorrelated'];

/** `full-jitter (base 100 ms, cap 5 s)`, `phoenix`, `signalr, ignoring the server's advice`. */
export function reconnectWords({ policy = 'full-jitter', base, cap, advice }: Reconnect): string {
  const bounds = boundedBy.includes(policy)
    ? ` (base ${formatUs(base * 1000)}, cap ${formatUs(cap * 1000)})`
    : '';
  return `${policy}${bounds}${advice === 'ignore' ? ", ignoring the server's advice" : ''}`;
}
