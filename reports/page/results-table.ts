// Draws the table of the results that a page shows side by side.

import { coresText } from '../../core/result/machine-text.ts';
import type { Result } from '../../core/result/result.ts';
import { formatNumber } from '../../core/base/units.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup, type Head } from './table-markup.ts';
import { rateText } from '../summary/variants.ts';

/** The results by the names that the rest of the page uses; nothing where there is one. */
export function resultsTable(results: readonly Result[], names: readonly string[]): Markup {
  if (results.length === 1) return html``;
  const heads: readonly Head[] = [
    'called',
    { words: 'scenario' },
    'subscribers',
    { words: 'events' },
    'measured phase',
    { words: 'when (UTC)' },
    { words: 'machine' },
    { words: 'pushbench' },
  ];
  return html`<h2>Runs in this report</h2>
    ${tableMarkup(
      'All charts and tables of this report share their axes and columns',
      heads,
      results.map(({ scenario, createdAt, environment, pushbench, simulated }, i) => ({
        head: names[i]!,
        cells: [
          scenario.name,
          formatNumber(scenario.subscribers),
          rateText(scenario),
          `${formatNumber(scenario.phasesMs.measure / 1000)} s`,
          createdAt.slice(0, 19).replace('T', ' '),
          (simulated ? `simulated from profile ${simulated.profile.name}: ` : '') +
            `${environment.cpu}, ${coresText(environment)}`,
          `${pushbench}${environment.commit === null ? '' : ` (${environment.commit.slice(0, 12)})`}`,
        ],
      })),
    )}`;
}
