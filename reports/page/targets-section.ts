// Draws what a report says of systems that are not ours: where they were, how all were published to, and
// which variants did not run against them.

import type { Result } from '../../core/result/result.ts';
import { html, type Markup } from './markup.ts';

/** A heading and a line for each target; nothing without targets. */
export function targetsMarkup(results: readonly Result[]): Markup {
  const withTargets = results.filter((result) => result.targets !== undefined);
  const targets = withTargets.flatMap((result) => result.targets ?? []);
  if (targets.length === 0) return html``;
  const alike = withTargets.every(({ scenario }) => scenario.publishedInTurn);
  return html`<h2>Other systems</h2>
    <p>
      ${
        alike
          ? 'Every system was published to in the same way, our own servers too: one request of a topic at ' +
            'a time, the topics side by side.'
          : 'Targets were published to with one request of a topic at a time, our own servers over one ' +
            'pipelined connection: if publishing is slow, the two cannot be compared.'
      }
    </p>
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
