// Draws what a report says of systems that are not ours: where they were, and which variants
// did not run against them.

import type { Result } from '../../core/result/result.ts';
import { html, type Markup } from './markup.ts';

/** A heading and a line for each target; nothing without targets. */
export function targetsMarkup(results: readonly Result[]): Markup {
  const targets = results.flatMap((result) => result.targets ?? []);
  if (targets.length === 0) return html``;
  return html`<h2>Systems that are not ours</h2>
    <ul class="plain">
      ${targets.map(
        ({ name, url, leftOut }) =>
          html`<li>
            <b>@${name}</b> at
            ${url}.${
              leftOut.length === 0
                ? ''
                : html` Left out:
                    <ul>
                      ${leftOut.map(({ variant, reason }) => html`<li>${variant}: ${reason}</li>`)}
                    </ul>`
            }
          </li>`,
      )}
    </ul>`;
}
