// Draws the table of several servers: how many subscribers each had, and how many came to it. Nothing where
// no trial had several.

import type { Completed } from '../../core/result/result.ts';
import { formatNumber } from '../../core/base/units.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup } from './table-markup.ts';
import { perTrial } from './trial-tables.ts';

const caption = 'Subscribers by server, from the first server to the last';

export function serversTable(variants: readonly VariantTrials[]): Markup {
  const several = variants.flatMap((variant) => {
    const completed = variant.completed.filter((trial) => countsOf(trial, 'subscribers').length > 1);
    return completed.length === 0 ? [] : [{ ...variant, completed }];
  });
  if (several.length === 0) return html``;
  return tableMarkup(
    caption,
    ['variant', 'connected at the end of the measured phase', 'streams and sockets opened in it'],
    perTrial(
      several,
      (trial) => [
        countsOf(trial, 'subscribers').map(formatNumber).join(' / '),
        countsOf(trial, 'handshakes').map(formatNumber).join(' / '),
      ],
      ['connections'],
    ),
  );
}

function countsOf({ processes }: Completed, which: 'subscribers' | 'handshakes'): number[] {
  return processes.flatMap((process) => (process.role === 'server' ? (process[which] ?? []) : []));
}
