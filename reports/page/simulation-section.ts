// Draws what simulated figures rest on: how each variant was computed, how far outside of its profile, by
// how much figures of each kind are off, and what is not in them.

import type { Result } from '../../core/result/result.ts';
import type { ErrorKind } from '../../core/result/simulated.ts';
import {
  basesOf,
  kindsOf,
  leavesOutLines,
  notSimulatedLines,
  offMeaning,
  simulatedLines,
} from '../summary/simulated.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup } from './table-markup.ts';

const kindTitles: Readonly<Record<ErrorKind, string>> = {
  'latency.p50': 'p50',
  'latency.p90': 'p90',
  'latency.p99': 'p99',
  requests: 'requests',
  bytes: 'bytes',
  'server-cpu': 'server CPU',
  descriptors: 'descriptors',
  memory: 'memory',
  recovery: 'times of coming back',
  connects: 'connections opened and refused',
  losses: 'losses',
};

/** Nothing where all was measured. */
export function simulationSection(results: readonly Result[], variants: readonly VariantTrials[]): Markup {
  const lines = simulatedLines(results);
  if (lines.length === 0) return html``;
  const bases = basesOf(variants);
  const kinds = kindsOf(bases);
  const [leftOut, without] = [leavesOutLines(variants), notSimulatedLines(results)];
  return html`<h2>What the simulated figures rest on</h2>
    ${lines.map((line) => html`<p>${line}</p>`)}
    ${tableMarkup(
      'Expected error of simulated figures',
      [
        'variant',
        ...kinds.map((kind) => kindTitles[kind]),
        { words: 'calibrated range' },
        { words: 'computed' },
      ],
      bases.map(({ label, errors, range, how }) => ({
        head: label,
        cells: [...kinds.map((kind) => errors[kind]), range, how],
      })),
    )}
    <p class="dim">${offMeaning}</p>
    ${
      leftOut.length > 0 &&
      html`<p>What is not in these figures:</p>
        <ul class="plain">
          ${leftOut.map((line) => html`<li>${line}</li>`)}
        </ul>`
    }${
      without.length > 0 &&
      html`<ul class="plain">
        ${without.map((line) => html`<li>${line}</li>`)}
      </ul>`
    }`;
}
