// Writes CSV in long form: a row for each metric of each trial, its unit in a column of its own (RFC 4180).

import { figureOf, metrics } from '../../core/metrics/registry.ts';
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
] as const;
const units = { us: 'us', bytes: 'bytes', share: 'share', count: 'count', 'per-s': '1/s' } as const;

/**
 * A trial that failed or is missing has one row, without a metric, and so has a search that was cut off. A
 * figure that is void has a row without a value; a metric that a trial has no figure for has none. `low` and
 * `high` are the ends of a percentile's 95 % interval within the trial, in the unit of the value. Of a trial
 * that was simulated, whose outcome is `simulated`, `expected_error` is the share by which the figure is
 * expected to be off, empty where nothing is known, and the interval has it in.
 */
export function renderCsv(results: readonly Result[]): string {
  const rows = results.flatMap((result) => [...measuredRows(result), ...missingRows(result)]);
  return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

function missingRows(result: Result): (string | number)[][] {
  const { scenario, createdAt } = result;
  const { trials, searches } = missingFrom(result);
  const row = (variant: string, trial: string | number, outcome: string) => [
    scenario.name,
    createdAt,
    '',
    variant,
    trial,
    outcome,
    '',
    '',
    '',
    '',
    '',
    '',
  ];
  return [
    ...trials.map(({ variant, repetition }) => row(variant, repetition, 'missing')),
    ...searches.map(({ variant, begun }) => row(variant, '', begun ? 'search cut off' : 'search not begun')),
  ];
}

function measuredRows({ scenario, createdAt, trials }: Result): (string | number)[][] {
  return trials.flatMap(({ variant, repetition, outcome }) => {
    const about = [scenario.name, createdAt, variant.pattern, variant.label, repetition];
    if (outcome.status === 'failed') return [[...about, 'failed', '', '', '', '', '', '']];
    return Object.entries(metrics).flatMap(([name, { unit }]) => {
      const figure = figureOf(name, outcome);
      if (figure.value === undefined)
        return figure.voided ? [[...about, 'void', name, '', units[unit], '', '', '']] : [];
      const { value, low = '', high = '', off = '' } = figure;
      const made = outcome.simulated ? 'simulated' : 'valid';
      return [[...about, made, name, value, units[unit], low, high, off]];
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
