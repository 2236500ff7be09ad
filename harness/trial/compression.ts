// Says whether subscribers that asked for compression got it: a server may answer in plain text, and then
// costs and bytes of the trial are those of plain text.

import { patternNamed } from '../../core/pattern/registry.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';

/** @param client what the load side counted in the whole trial */
export function compressionOf(
  { pattern, options }: Pick<Variant, 'pattern' | 'options'>,
  client: Pick<Counters, 'compressed' | 'events'>,
): Pick<Completed, 'compression'> {
  const asked = patternNamed(pattern)?.compression?.(options);
  return asked === undefined || client.events === 0
    ? {}
    : { compression: { asked, came: client.compressed } };
}

export function notCompressed({ compression }: Pick<Completed, 'compression'>): TrialWarning[] {
  if (compression === undefined || compression.came > 0) return [];
  const message =
    `subscribers asked for ${compression.asked}, and nothing came compressed: bytes and CPU are those of ` +
    'plain text.';
  return [{ code: 'not-compressed', level: 'note', message }];
}
