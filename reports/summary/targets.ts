// What a report says of systems that are not ours: where they were, and which variants did not run against them.

import type { Result } from '../../core/result/result.ts';
import { html, type Markup } from '../page/markup.ts';

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

/** The same for a terminal: a line for each variant that was left out. */
export function leftOutLines(results: readonly Result[]): string[] {
  return results.flatMap(({ targets = [] }) =>
    targets.flatMap(({ name, leftOut }) =>
      leftOut.map(({ variant, reason }) => `left out: ${variant} @${name}: ${reason}.`),
    ),
  );
}
