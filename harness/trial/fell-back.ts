// Says how many subscribers came by another transport than their first.

import { patternNamed } from '../../core/pattern/registry.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import { formatShare } from '../../core/base/units.ts';

export function fellBack({ transports = {} }: Completed): TrialWarning[] {
  const all = Object.entries(transports);
  const subscribers = all.reduce((sum, [, count]) => sum + count, 0);
  const others = all
    .slice(1)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatShare(count / subscribers)} came by ${nameOf(name)}`);
  if (others.length === 0) return [];
  const message = `${others.join(', and ')}, because the subscribers' first choice did not work.`;
  return [{ code: 'fell-back', level: 'note', message }];
}

/** `SSE`, `long polling`: a pattern's title within a sentence. */
function nameOf(pattern: string): string {
  const title = patternNamed(pattern)?.title ?? pattern;
  return title.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
}
