// Writes JUnit XML for CI systems: a suite for each trial, with a case that says whether it counts and one
// for each expectation. A broken expectation is a failure. One that was not judged is an error, like
// a trial that is missing, failed or does not count. One that is undecided is skipped, like a trial that
// counts in part.

import { cutShortText, missingFrom } from '../../core/result/missing.ts';
import type { Expectation, Result, Trial } from '../../core/result/result.ts';
import { allVoid, allVoidedWords } from '../../core/result/voids.ts';
import { figuresOf, verdictOn } from '../summary/notices.ts';
import { labelIn, resultNames } from '../summary/variants.ts';

export type Verdict =
  | { kind: 'passed' }
  | { kind: 'failure' | 'error' | 'skipped'; type: string; message: string };
type Case = { name: string; verdict: Verdict };
export type Suite = { name: string; timestamp: string; timeS: number; cases: Case[] };

export function renderJunit(results: readonly Result[]): string {
  return junitDocument(suitesOf(results));
}

/** What a test report has of each trial, missing ones included. */
export function suitesOf(results: readonly Result[]): Suite[] {
  const names = resultNames(results);
  return results.flatMap((result, i) => [
    ...result.trials.map((trial) => suiteOf(result, trial, names[i]!)),
    ...missingSuites(result, names[i]!),
    ...emptySuites(result),
  ]);
}

export function junitDocument(suites: readonly Suite[]): string {
  const cases = suites.flatMap((suite) => suite.cases);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="pushbench"${tally(cases)}>
${suites.map(suiteXml).join('')}</testsuites>
`;
}

function suiteOf(result: Result, trial: Trial, resultName: string): Suite {
  const { variant, repetition, outcome, startedAt } = trial;
  const several = result.trials.some(
    (other) => other.variant.label === variant.label && other.repetition !== repetition,
  );
  const own = result.expectations.filter(
    (one) => one.variant === variant.label && one.repetition === repetition,
  );
  return {
    name:
      `${result.scenario.name}: ` +
      `${labelIn(resultName, variant.label)}${several ? ` (trial ${repetition})` : ''}`,
    timestamp: startedAt,
    timeS: outcome.status === 'completed' ? outcome.measuredUs / 1e6 : 0,
    cases: [
      { name: 'the trial counts', verdict: caseOf(trial) },
      ...own.map((one) => ({ name: one.check, verdict: expectationCase(one, trial) })),
    ],
  };
}

/**
 * What was not run must not look as if it had passed: the run itself, and a suite for
 * each trial that is missing.
 */
function missingSuites(result: Result, resultName: string): Suite[] {
  const { scenario, createdAt, state, expectations } = result;
  const text = cutShortText(result);
  if (text === undefined) return [];
  const about = { timestamp: createdAt, timeS: 0 };
  const missing: Verdict = { kind: 'error', type: 'missing', message: 'the run ended before this trial' };
  return [
    {
      name: `${scenario.name}: the run`,
      ...about,
      cases: [{ name: 'the run was completed', verdict: { kind: 'error', type: state.kind, message: text } }],
    },
    ...missingFrom(result).trials.map(({ variant, repetition, name }) => ({
      name: `${scenario.name}: ${labelIn(resultName, name)}`,
      ...about,
      cases: [
        { name: 'the trial counts', verdict: missing },
        ...expectations
          .filter((one) => one.variant === variant && one.repetition === repetition)
          .map((one) => ({ name: one.check, verdict: expectationCase(one, undefined) })),
      ],
    })),
  ];
}

/** What nothing was put to: a run without a trial, and expectations that are for none of its trials. */
function emptySuites(result: Result): Suite[] {
  const { scenario, createdAt, trials, expectations, planned } = result;
  const known = new Set([
    ...trials.map(({ variant }) => variant.label),
    ...(planned?.trials ?? []).map(({ variant }) => variant),
  ]);
  const cases: Case[] = expectations
    .filter(({ variant }) => !known.has(variant))
    .map(({ check, variant }) => ({
      name: check,
      verdict: { kind: 'error', type: 'no-trial', message: `no trial of the run is one of ${variant}` },
    }));
  // Of a run that was cut short its own suite says so.
  if (trials.length === 0 && cutShortText(result) === undefined)
    cases.push({
      name: 'something was measured',
      verdict: { kind: 'error', type: 'no-trial', message: 'the result holds no trial' },
    });
  const suite = { name: `${scenario.name}: no trial`, timestamp: createdAt, timeS: 0, cases };
  return cases.length === 0 ? [] : [suite];
}

function caseOf({ outcome, warnings }: Trial): Verdict {
  if (outcome.status === 'failed') return { kind: 'error', type: outcome.code, message: outcome.message };
  if (outcome.valid) return { kind: 'passed' };
  const reasons = warnings.filter(({ level }) => level === 'invalid');
  const type = reasons.map(({ code }) => code).join(' ');
  const message = reasons.map((one) => one.message).join(' ');
  if (allVoid(outcome)) return { kind: 'error', type, message };
  return { kind: 'skipped', type, message: `void: ${allVoidedWords(outcome)}. ${message}` };
}

/** What was asked for and not judged ends a run with exit code 4, so it is an error here. */
function expectationCase(expectation: Expectation, trial: Trial | undefined): Verdict {
  const { measured, bound } = figuresOf(expectation);
  const figures = `${expectation.check}: measured ${measured}, bound ${bound}`;
  const { verdict, why } = verdictOn(expectation, trial);
  switch (verdict) {
    case 'held':
      return { kind: 'passed' };
    case 'failed':
      return { kind: 'failure', type: 'expectation', message: figures };
    case 'undecided':
      return {
        kind: 'skipped',
        type: 'undecided',
        message: `undecided: ${why} (${expectation.measured === null ? expectation.check : figures})`,
      };
    case 'not-judged':
      return { kind: 'error', type: 'not-judged', message: `not judged: ${why} (${expectation.check})` };
  }
}

function suiteXml({ name, timestamp, timeS, cases }: Suite): string {
  return [
    `  <testsuite name="${xmlText(name)}"${tally(cases)}`,
    ` time="${timeS}" timestamp="${xmlText(timestamp)}">\n`,
    ...cases.map((one) => caseXml(one, name)),
    '  </testsuite>\n',
  ].join('');
}

function caseXml({ name, verdict }: Case, suite: string): string {
  const head = `    <testcase classname="${xmlText(suite)}" name="${xmlText(name)}"`;
  if (verdict.kind === 'passed') return `${head}/>\n`;
  const { kind, type, message } = verdict;
  const problem =
    kind === 'skipped'
      ? `<skipped message="${xmlText(message)}"/>`
      : `<${kind} type="${xmlText(type)}" message="${xmlText(message)}">${xmlText(message)}</${kind}>`;
  return `${head}>${problem}</testcase>\n`;
}

function tally(cases: readonly Case[]): string {
  const count = (kind: Verdict['kind']) => cases.filter(({ verdict }) => verdict.kind === kind).length;
  return (
    ` tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" ` +
    `skipped="${count('skipped')}"`
  );
}

/**
 * Text for XML 1.0: five characters escaped, line ends kept through attributes, what no
 * document may hold replaced.
 */
export function xmlText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
