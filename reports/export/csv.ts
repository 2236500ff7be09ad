// Writes CSV in long form: a row for each metric of each trial, its unit in a column of its own (RFC 4180).

import { figureOf, metrics } from '../../core/metrics/registry.ts';
import { isOfWhatCame } from '../../core/metrics/what-came.ts';
import { missingFrom } from '../../core/result/missing.ts';
import { printable } from '../../core/base/printable.ts';
import type { Result } from '../../core/result/result.ts';

const columns = [
  'scenario',
  'created_at',
  'pattern',
  'variant',
  'trial',
  'outcome',
  'metric',
  'value',
  'unit',
  'low',
  'high',
  'expected_error',
  'of_what_came',
] as const;
type Row = (string | number)[];
/** Fields to the end of the row, where there is nothing to say. */
const upTo = (fields: Row): Row => [...fields, ...columns.slice(fields.length).map(() => '')];
const units = { us: 'us', bytes: 'bytes', share: 'share', count: 'count', 'per-s': '1/s' } as const;

/**
 * A trial that failed or is missing has one row, without a metric, and so has a search that was cut off. A
 * figure that is void has a row without a value; a metric that a trial has no figure for has none. `low` and
 * `high` are the ends of a percentile's 95 % interval within the trial, in the unit of the value. Of a trial
 * that was simulated, whose outcome is `simulated`, `expected_error` is the share by which the figure is
 * expected to be off, empty where nothing is known, and the interval has it in. `of_what_came` is `yes` of a
 * latency of a trial that lost deliveries, as a lost delivery has no latency.
 */
export function renderCsv(results: readonly Result[]): string {
  const rows = results.flatMap((result) => [...measuredRows(result), ...missingRows(result)]);
  return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

function missingRows(result: Result): Row[] {
  const { scenario, createdAt } = result;
  const { trials, searches } = missingFrom(result);
  const row = (variant: string, trial: string | number, outcome: string) =>
    upTo([scenario.name, createdAt, '', variant, trial, outcome]);
  return [
    ...trials.map(({ variant, repetition }) => row(variant, repetition, 'missing')),
    ...searches.map(({ variant, begun }) => row(variant, '', begun ? 'search cut off' : 'search not begun')),
  ];
}

function measuredRows({ scenario, createdAt, trials }: Result): Row[] {
  return trials.flatMap(({ variant, repetition, outcome }) => {
    const about = [scenario.name, createdAt, variant.pattern, variant.label, repetition];
    if (outcome.status === 'failed') return [upTo([...about, 'failed'])];
    const missed = figureOf('missed', outcome).value ?? 0;
    return Object.entries(metrics).flatMap(([name, { unit }]) => {
      const figure = figureOf(name, outcome);
      if (figure.value === undefined)
        return figure.voided ? [upTo([...about, 'void', name, '', units[unit]])] : [];
      const { value, low = '', high = '', off = '' } = figure;
      const made = outcome.simulated ? 'simulated' : 'valid';
      const came = isOfWhatCame(name, missed) ? 'yes' : '';
      return [[...about, made, name, value, units[unit], low, high, off, came]];
    });
  });
}

/**
 * A field as RFC 4180, section 2, has it: quoted where it holds a quote, a comma or a line end. A text that a
 * spreadsheet would take for a formula gets an apostrophe before it and stays text (OWASP, CSV Injection);
 * a number stays a number.
 */
export function csvField(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = printable(value.replaceAll('\r', '\n'));
  const plain = /^[=+\-@\t\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
  return /[",\n;\t]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
