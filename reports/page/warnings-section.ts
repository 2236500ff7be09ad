// Draws the warnings, a line for each reason, and the problems that the processes met.

import { counted } from '../../core/base/counted.ts';
import { formatNumber } from '../../core/base/units.ts';
import { headOf, problemGroups, warningGroups, type WarningGroup } from '../summary/warnings.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';

/** Nothing where nothing was warned of. */
export function warningsSection(variants: readonly VariantTrials[]): Markup {
  const groups = warningGroups(variants);
  const problems = problemGroups(variants);
  if (groups.length + problems.length === 0) return html``;
  return html`<h2>Warnings</h2>
    <ul class="plain">
      ${groups.map(groupMarkup)}
    </ul>
    ${
      problems.length === 0
        ? ''
        : html`<details>
            <summary>${counted(problems.length, 'kind of problem', 'kinds of problems')}</summary>
            <ul class="plain">
              ${problems.map(
                ({ who, code, example, others, count }) =>
                  html`<li>
                    ${who}: ${example}${others > 0 && ` and ${formatNumber(others)} alike`}
                    (<code>${code}</code>, ${counted(count, 'time')})
                  </li>`,
              )}
            </ul>
          </details>`
    }`;
}

function groupMarkup(group: WarningGroup): Markup {
  const { level, summary, said } = group;
  const head = html`<b class="${level === 'note' ? '' : 'bad'}">${headOf(group)}</b>`;
  if (summary === '') return html`<li>${head}: ${said.map(({ who, message }) => `${who}: ${message}`)}</li>`;
  return html`<li>
    ${head}: ${summary}
    <details>
      <summary>${formatNumber(said.length)} messages</summary>
      <ul class="plain">
        ${said.map(({ who, message }) => html`<li>${who}: ${message}</li>`)}
      </ul>
    </details>
  </li>`;
}
