// Writes a comparison for CI systems: JUnit, where what is proven worse fails and what proves nothing is
// skipped, and GitHub's workflow commands, which put a line on the change itself.

import { worseIn, type Comparison, type Judged } from '../../core/comparison/comparison-result.ts';
import { printable } from '../../core/base/printable.ts';
import {
  circumstances,
  comparisonHeadline,
  intervalTitle,
  pairLabel,
  rowsOf,
  worseText,
  type MetricRow,
} from './words.ts';
import { junitDocument, type Suite, type Verdict } from '../export/junit.ts';

/** A suite for each variant, a case for each metric. */
export function renderComparisonJunit(comparison: Comparison): string {
  const binding = new Set(
    worseIn(comparison)
      .filter((one) => one.binding)
      .map(({ metric }) => metric),
  );
  const suites = comparison.variants.map((judged): Suite => ({
    name: `${comparison.scenario}: ${pairLabel(judged)}`,
    timestamp: comparison.createdAt,
    timeS: 0,
    cases: [
      {
        name: 'the comparison counts',
        verdict:
          judged.verdict === 'invalid'
            ? { kind: 'error', type: 'invalid', message: judged.why }
            : { kind: 'passed' },
      },
      ...rowsOf(judged).map((row) => ({
        name: row.title,
        verdict: caseOf(row, binding.has(row.metric), intervalTitle(comparison)),
      })),
    ],
  }));
  const whole: Suite[] =
    comparison.cut === undefined
      ? []
      : [
          {
            name: `${comparison.scenario}: the run`,
            timestamp: comparison.createdAt,
            timeS: 0,
            cases: [
              {
                name: 'the run went to its end',
                verdict: { kind: 'error', type: 'unfinished', message: comparison.cut },
              },
            ],
          },
        ];
  return junitDocument([...suites, ...whole]);
}

function caseOf(
  { metric, verdict, change, interval, p }: MetricRow,
  binding: boolean,
  intervalName: string,
): Verdict {
  const figures = `${change}${interval === '' ? '' : `, ${intervalName} ${interval}, p ${p}`}`;
  if (metric.verdict === 'slower')
    return binding
      ? { kind: 'failure', type: metric.kind, message: worseText(metric) }
      : { kind: 'skipped', type: 'advisory', message: `advisory: ${worseText(metric)}` };
  return metric.verdict === 'not-slower'
    ? { kind: 'passed' }
    : { kind: 'skipped', type: 'open', message: `${verdict}: ${figures}` };
}

/**
 * Workflow commands, a line each: errors for what is proven worse, warnings for what is advisory, one notice
 * with the answer. @param file the file that the line is shown at, usually the scenario's
 */
export function renderAnnotations(comparison: Comparison, file: string | undefined): string {
  const at = file === undefined ? '' : `file=${property(file)},`;
  const command = (level: string, title: string, message: string) =>
    `::${level} ${at}title=${property(title)}::${data(message)}`;
  const invalid = comparison.variants.filter(({ verdict }) => verdict === 'invalid');
  const lines = [
    ...(comparison.cut === undefined
      ? []
      : [command('error', `pushbench ${comparison.scenario}`, comparison.cut)]),
    ...worseIn(comparison).map(({ judged, metric, binding }) =>
      command(
        binding ? 'error' : 'warning',
        titleFor(comparison, judged),
        `${worseText(metric)}${binding ? '' : ' (advisory)'}`,
      ),
    ),
    ...invalid.map((judged) =>
      command('error', titleFor(comparison, judged), `the comparison is invalid: ${judged.why}`),
    ),
    command(
      'notice',
      `pushbench ${comparison.scenario}`,
      [comparisonHeadline(comparison), ...circumstances(comparison).advisory].join('\n'),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function titleFor({ scenario }: Comparison, judged: Judged): string {
  return `pushbench ${scenario}: ${pairLabel(judged)}`;
}

/**
 * As the runner reads them back: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
 */
function data(text: string): string {
  return printable(text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A'));
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
