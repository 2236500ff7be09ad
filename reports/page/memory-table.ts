// Draws what idle connections take in memory: at servers, at clients, and in the kernel by the caches that
// grew.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOf, metrics } from '../../core/metrics/registry.ts';
import { formatBytes, formatNumber } from '../../core/base/units.ts';
import type { Completed } from '../../core/result/result.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';
import { plainTable } from './table-markup.ts';
import { perTrial } from './trial-tables.ts';

const columns = [
  ['server-memory-per-subscriber', 'server, a subscriber'],
  ['client-memory-per-subscriber', 'client, a subscriber'],
  ['kernel-memory-per-connection', 'kernel, a connection, both ends'],
  ['memory-per-connection', 'all of it, a connection'],
] as const;

/** Nothing where the kernel's part was not read, or connections are too few for it. */
export function memoryTable(variants: readonly VariantTrials[]): Markup {
  const shown = variants
    .map((variant) => ({ ...variant, completed: variant.completed.filter(hasKernelPart) }))
    .filter(({ completed }) => completed.length > 0);
  if (shown.length === 0) return html``;
  const caches = shown.some(({ completed }) => completed.some(({ hostMemory }) => hostMemory?.caches));
  return html`<p>
      Growth of memory from before the first subscriber until all were connected and nothing had been
      published. The kernel's memory (sockets, files and their watchers) and the available memory are those of
      the whole host, so they are right only if nothing else ran.
    </p>
    ${plainTable(
      'Memory of idle connections',
      [
        'variant',
        'connections',
        ...columns.map(([, title]) => title),
        'less available to programs, a connection',
        ...(caches ? [{ words: 'kernel caches that grew most, a connection' }] : []),
      ],
      perTrial(
        shown,
        (trial) => [
          formatNumber(trial.connections ?? 0),
          ...columns.map(([name]) => textOf(name, trial)),
          lessAvailable(trial),
          ...(caches ? [cachesText(trial)] : []),
        ],
        ['memory'],
      ),
    )}`;
}

function hasKernelPart(trial: Completed): boolean {
  return figureOf('kernel-memory-per-connection', trial).value !== undefined;
}

function textOf(name: string, trial: Completed): string {
  const figure = figureOf(name, trial);
  return figure.value === undefined ? figure.why : formatMetric(figure.value, metrics[name]!.unit);
}

function lessAvailable({ hostMemory, connections }: Completed): string {
  if (!hostMemory || !connections) return '';
  const { baseline, connected } = hostMemory;
  return formatBytes((baseline.availableBytes - connected.availableBytes) / connections);
}

function cachesText({ hostMemory, connections }: Completed): string {
  if (!hostMemory?.caches || !connections) return '';
  return hostMemory.caches.map(({ name, bytes }) => `${name} ${formatBytes(bytes / connections)}`).join(', ');
}
