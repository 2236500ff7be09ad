// Says in words how subscribers come back when they were cut off.

import { formatUs } from '../base/units.ts';
import { presets } from '../policy/client/presets.ts';
import type { ReconnectPolicy } from '../policy/client/reconnect.ts';

/** `full-jitter (base 100 ms, cap 5 s)`, `phoenix`, `signalr, ignoring the server's advice`. */
export function reconnectWords({
  policy = 'full-jitter',
  base,
  cap,
  reset,
  advice,
}: ReconnectPolicy): string {
  // The others have waits of their own.
  const bounds = presets[policy].adjustable
    ? ` (base ${formatUs(base * 1000)}, cap ${formatUs(cap * 1000)})`
    : '';
  const after =
    typeof reset === 'object' ? `, starting again after ${formatUs(reset.stable * 1000)} connected` : '';
  return `${policy}${bounds}${after}${advice === 'ignore' ? ", ignoring the server's advice" : ''}`;
}
