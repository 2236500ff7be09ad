// Writes a comparison for CI systems: JUnit, where what is proven worse fails, what was not judged is an
// error and what proves nothing is skipped, and GitHub's workflow commands, which put a line on the change
// itself.

import {
  notJudgedIn,
  worseIn,
  type Comparison,
  type Judged,
} from '../../core/comparison/comparison-result.ts';
import { printable } from '../../core/base/printable.ts';
import {
  circumstances,
  comparisonHeadline,
  intervalTitle,
  rowsOf,
  worseText,
  type MetricRow,
} from './words.ts';
import { groupNotJudged, pairLabel, unjudgedTexts } from './verdict-words.ts';
import { junitDocument, type Suite, type Verdict } from '../export/junit.ts';

/** A suite for each variant, a case for each metric. */
export function renderComparisonJunit(comparison: Comparison): string {
  const binding = new Set(
    worseIn(comparison)
      .filter((one) => one.binding)
      .map(({ metric }) => metric),
  );
  const unjudged = notJudgedIn(comparison);
  const about = { timestamp: comparison.createdAt, timeS: 0 };
  const suites = comparison.variants.map((judged): Suite => {
    const own = unjudged.filter((one) => one.judged === judged);
    const whole = own.find(({ metric }) => metric === undefined);
    return {
      name: `${comparison.scenario}: ${pairLabel(judged)}`,
      ...about,
      cases: [
        {
          name: 'the comparison was judged',
          verdict: whole ? notJudged(unjudgedTexts(judged).join('; ') || whole.why) : { kind: 'passed' },
        },
        ...rowsOf(judged).map((row) => {
          const missing = own.find(({ metric }) => metric === row.metric);
          return {
            name: row.title,
            verdict: missing
              ? notJudged(missing.why)
              : caseOf(row, binding.has(row.metric), intervalTitle(comparison)),
          };
        }),
      ],
    };
  });
  const ofAll = unjudged.filter(({ judged }) => judged === undefined);
  const whole = ofAll.map(({ why }): Suite => ({
    name: `${comparison.scenario}: ${comparison.cut === undefined ? 'the comparison' : 'the run'}`,
    ...about,
    cases: [
      comparison.cut === undefined
        ? { name: 'there is something to compare', verdict: notJudged(why) }
        : { name: 'the run was completed', verdict: { kind: 'error', type: 'unfinished', message: why } },
    ],
  }));
  return junitDocument([...suites, ...whole]);
}

function notJudged(message: string): Verdict {
  return { kind: 'error', type: 'not-judged', message };
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
    ...(comparison.cut === undefined ? groupNotJudged(notJudgedIn(comparison)) : []).map(({ judged, text }) =>
      command(
        'error',
        judged ? titleFor(comparison, judged) : `pushbench ${comparison.scenario}`,
        `not judged: ${text}`,
      ),
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
