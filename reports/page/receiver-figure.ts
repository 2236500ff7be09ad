// Draws who gets an event last: the first, the median and the last receiver of the median event.

import { patternNamed } from '../../core/pattern/registry.ts';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { receivedEvents, receivers } from '../summary/chart-data.ts';
import { canBeRanked } from '../summary/comparable.ts';
import { receiverSpec } from './chart-specs.ts';
import { drawChart } from './draw-chart.ts';
import type { Figure } from './figure.ts';
import { figureTable } from './table-markup.ts';
import { timeScaleOf, timeScaleText } from '../summary/time-scale.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { leftOutReading } from './void-reading.ts';

/** None where no event had several receivers, or too few did. */
export async function receiverFigure(
  variants: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  const timeScale = timeScaleOf(variants);
  const points = receivers(variants).map((point) => ({ ...point, ms: point.ms * timeScale }));
  if (points.length === 0) return [];
  const shared = variants.filter(({ label }) => points.some(({ variant }) => variant === label));
  const labels = shared.map(({ label }) => label);
  const of = (label: string, which: string) =>
    points.find((point) => point.variant === label && point.which === which)!.ms * 1000;
  // Pollers find an event when they ask, however fast the server is; the others show what the fan-out takes.
  const pushed = shared
    .filter(({ pattern }) => patternNamed(pattern)?.asksEveryMs === undefined)
    .map(({ label }) => label);
  const widest = (pushed.length > 0 ? pushed : labels).reduce((a, b) =>
    of(b, 'last') - of(b, 'first') > of(a, 'last') - of(a, 'first') ? b : a,
  );
  const heading = canBeRanked(shared)
    ? `Who gets an event last: with ${widest} ` +
      `${formatUs(of(widest, 'last') - of(widest, 'first'))} after the first` +
      (pushed.length > 0 && pushed.length < labels.length ? ', polling aside' : '')
    : 'Who gets an event last';
  return [
    {
      id: 'fan-out',
      heading,
      reading:
        'Of each event with several receivers, when the first, the median and the last of them had it; the ' +
        `median over ${formatNumber(receivedEvents(shared))} events. One process writes to one connection ` +
        'after the other, so the spread grows with the number of receivers.' +
        timeScaleText(timeScale) +
        leftOutReading(variants, ['latency']),
      chart: await drawChart(
        receiverSpec(points, shared),
        heading,
        `First, median and last receiver of the median event of ${labels.join(', ')}; ` +
          'the figures are in the table below.',
        live,
        over,
      ),
      data: figureTable(
        'Receivers of the median event',
        ['variant', 'first', 'median', 'last'],
        labels.map((label) => ({
          head: label,
          cells: ['first', 'median', 'last'].map((which) => formatUs(of(label, which))),
        })),
      ),
    },
  ];
}
