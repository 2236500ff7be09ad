// Writes the reference page of metrics: every one by its name, as the registry defines it.

import { formatNumber } from '../../core/base/units.ts';
import { boundText } from '../../core/metrics/check.ts';
import { formatMetric, type Metric, type Unit } from '../../core/metrics/metric.ts';
import { metricGroups } from '../../core/metrics/registry.ts';
import { patterns } from '../../core/pattern/registry.ts';
import type { Pattern } from '../../core/pattern/pattern.ts';
import { code, contents, page, table } from './markdown.ts';

/** A value of each unit as figures have it in JSON. */
const examples: Readonly<Record<Unit, { value: number; json: string }>> = {
  us: { value: 12_500, json: 'microseconds' },
  bytes: { value: 2048, json: 'bytes' },
  share: { value: 0.153, json: '0 to 1; of CPU 1 is one core' },
  count: { value: 12, json: 'a plain number' },
  'per-s': { value: 200, json: 'per second' },
};

/** The page `metrics.md`. */
export function metricsPage(): string {
  return page('Metrics', [
    'Every figure that a trial may have, by the name that [a scenario](scenario.md) uses in `answer`, ' +
      '`curves`, `expect`, `gate` and `search`, and [a result](result.md) in `figures`. A figure that a ' +
      'trial does not have is absent, with the reason. A figure is void if something that it depends on ' +
      'went wrong in the trial.',
    contents(['Units', 'How to read the tables', ...Object.keys(metricGroups)]),
    '## Units',
    table(
      ['unit', 'in JSON', 'as reports show it', 'a bound in a check'],
      Object.entries(examples).map(([unit, { value, json }]) => [
        code(unit),
        json,
        formatMetric(value, unit as Unit), // its keys are units
        boundText(unit as Unit),
      ]),
    ),
    '## How to read the tables',
    '- **better**: which of two figures is better; *neither* if the figure only describes what happened. ' +
      'Comparisons can gate on metrics of which lower is better.\n' +
      '- **patterns**: those that have the figure. With the others it is absent, or always the same.\n' +
      '- **absent if**: when a trial does not have it. Also, a percentile needs 10 distinct events beyond ' +
      'it, so a short trial has no p99; descriptors, packets and memory of the kernel are read from /proc, ' +
      'which only Linux has; and a simulated trial lacks what no model computes, such as packets, errors ' +
      'and the CPU of clients.',
    ...Object.entries(metricGroups).flatMap(([title, group]) => [
      `## ${title}`,
      table(
        ['metric', 'unit', 'better', 'patterns', 'meaning', 'absent if'],
        Object.entries(group).map(([name, metric]) => rowOf(name, metric)),
      ),
    ]),
  ]);
}

function rowOf(name: string, metric: Metric): string[] {
  return [
    code(name),
    code(metric.unit),
    metric.better,
    patternsText(metric),
    metric.description,
    absentWhere(metric).join('; '),
  ];
}

/** `all`, `all but webhook`, or their names. */
export function patternsText({ has }: Pick<Metric, 'has'>): string {
  const all = Object.entries<Pattern>(patterns);
  const those = all.filter(([, pattern]) => has?.(pattern) ?? true).map(([name]) => name);
  if (those.length === all.length) return 'all';
  const [other, ...others] = all.map(([name]) => name).filter((name) => !those.includes(name));
  return others.length === 0 ? `all but ${code(other!)}` : those.map(code).join(', ');
}

/** What its definition says of trials that have no figure. */
function absentWhere(metric: Metric): string[] {
  const { among, leastSubscribers = 0 } = metric;
  return [
    ...(among ? [among.none] : []),
    ...(leastSubscribers > 0 ? [`there are fewer than ${formatNumber(leastSubscribers)} subscribers`] : []),
  ];
}
