// Decides what of an observed run did not hold: its exit code, what it left, its own account of itself, its
// ledger, its words. Pure; each rule stands here once.

import { exitCodes } from '../../../core/base/errors.ts';
import type { Completed, Result } from '../../../core/result/result.ts';
import { exitCodeOf } from '../../../cli/run.ts';
import type { RunCase } from './cases.ts';
import type { Left } from './space.ts';

export const aspects = ['exit code', 'nothing left', 'account', 'ledger', 'words'] as const;
export type Aspect = (typeof aspects)[number];
/** What did not hold. */
export type Miss = { aspect: Aspect; text: string };

/** The result of a run in every form that a gate reads. */
export type Stored = { result: Result; junit: string; markdown: string };

export type RunSeen = {
  hit: Pick<RunCase, 'victim' | 'act' | 'trial'>;
  /** Labels of the two variants. */
  planned: readonly string[];
  exit: { code: number | null; signal: string | null };
  /** From the last signal to the end of the harness. */
  endedMs: number;
  /** Whether the run had begun when the signal came: its folder was there. */
  begun: boolean;
  /** What the run had printed when the signal came. */
  saidBefore: string;
  /** All that it printed. */
  output: string;
  left: Left;
  /** Undefined when no result was stored, a text when it cannot be read. */
  stored: Stored | string | undefined;
  /** Folders of runs without a result. */
  unexplained: readonly string[];
  /**
   * What the next run said, and which folders without a measured trial it left; undefined where none was
   * needed.
   */
  next: { output: string; remaining: readonly string[] } | undefined;
};

/** A run that is asked to end is gone by then. */
export const endLimitMs = 3000;

export function judgeRun(seen: RunSeen): Miss[] {
  return [
    ...exitMisses(seen),
    ...leftMisses(seen.left),
    ...accountMisses(seen),
    ...ledgerMisses(seen.stored),
    ...wordMisses(seen.output),
  ];
}

function exitMisses({ hit, exit, endedMs, begun, stored }: RunSeen): Miss[] {
  const misses: Miss[] = [];
  const was = exit.signal === null ? `exit code ${exit.code}` : `ended by ${exit.signal}`;
  const expected = (what: string, held: boolean) =>
    void (held || misses.push({ aspect: 'exit code', text: `${was}, and it should be ${what}` }));
  if (isEnd(hit)) {
    // Before anything has begun the signal itself may end it; a shell says 130 or 143 then.
    expected(
      `${exitCodes.interrupted}`,
      exit.code === exitCodes.interrupted || (exit.signal !== null && !begun),
    );
    if (endedMs > endLimitMs)
      misses.push({
        aspect: 'exit code',
        text: `it ended ${Math.round(endedMs)} ms after the signal (bound: ${endLimitMs})`,
      });
  } else if (hit.victim === 'harness' && hit.act !== 'pause') {
    expected('ended by SIGKILL', exit.signal === 'SIGKILL');
  } else if (typeof stored === 'object') {
    const code = exitCodeOf(stored.result);
    expected(`${code}, as its result says`, exit.code === code);
  } else {
    misses.push({ aspect: 'exit code', text: `${was}, without a result` });
  }
  return misses;
}

/** @param left of any case */
export function leftMisses({ processes, listeners, files }: Left): Miss[] {
  return [
    ...processes.map((one) => `process ${one}`),
    ...listeners,
    ...files.map((one) => `file ${one}`),
  ].map((text) => ({ aspect: 'nothing left', text }));
}

function accountMisses(seen: RunSeen): Miss[] {
  const { hit, stored, planned } = seen;
  const miss = (text: string): Miss => ({ aspect: 'account', text });
  if (typeof stored === 'string') return [miss(`the result cannot be read: ${stored}`)];
  const ofHarness = hit.victim === 'harness' && hit.act !== 'pause';
  const misses = folderMisses(seen).map(miss);
  if (!stored) return ofHarness ? misses : [...misses, miss('no result was stored')];
  const { result } = stored;
  const missing = planned.filter((label) => !result.trials.some(({ variant }) => variant.label === label));
  if (missing.length > 0) misses.push(...unfinishedMisses(stored, missing).map(miss));
  if (missing.length > 0 && !ofHarness) misses.push(miss(`no trial of ${missing.join(', ')}`));
  if (hit.victim !== 'harness') misses.push(...victimMisses(seen, stored).map(miss));
  const bad = result.trials.filter(({ outcome }) => !outcome.valid).length;
  const errors = junitErrors(stored.junit);
  if (errors < bad)
    misses.push(miss(`JUnit has ${errors} errors for ${bad} trials that failed or do not count`));
  return misses;
}

/**
 * A killed run may leave its folder until the next one, which says what it was or removes it; one that
 * ended by itself may not.
 */
function folderMisses({ hit, unexplained, next }: RunSeen): string[] {
  if (isKill(hit))
    return (next?.remaining ?? [])
      .filter((name) => next?.output.includes(name) !== true)
      .map((name) => `the next run said nothing of ${name}, which has no measured trial`);
  return unexplained.length === 0 ? [] : [`a folder without a result: ${unexplained.join(', ')}`];
}

function unfinishedMisses({ result, junit, markdown }: Stored, missing: readonly string[]): string[] {
  const misses: string[] = [];
  if (!isUnfinished(result)) misses.push('result.json does not say that the run is unfinished');
  if (junitErrors(junit) === 0) misses.push('JUnit has no error');
  if (markdown.includes('✅')) misses.push('Markdown says that expectations held');
  for (const label of missing) {
    if (!junit.includes(label)) misses.push(`JUnit does not name the missing trial of ${label}`);
    if (!unescaped(markdown).includes(label))
      misses.push(`Markdown does not name the missing trial of ${label}`);
  }
  return misses;
}

/**
 * The trial whose process was killed has failed and names it, unless its figures were all in when the
 * signal came.
 */
function victimMisses({ hit, saidBefore, planned }: RunSeen, { result }: Stored): string[] {
  if (hit.act === 'pause') return [];
  const label = planned[hit.trial - 1]!;
  const outcome = result.trials.find(({ variant }) => variant.label === label)?.outcome;
  if (!outcome) return []; // missing, which is said elsewhere
  const name = `[${hit.trial}/${planned.length}] ${label}`;
  if (outcome.status === 'completed')
    return saidBefore.includes(`${name}: draining`) ? [] : [`the trial of ${label} is not failed`];
  // A stopped process may first be missed by another that waits for it.
  const named =
    hit.act === 'stop' ? /\bthe (?:server|load|publisher)\b/ : new RegExp(`\\bthe ${hit.victim}\\b`);
  return named.test(outcome.message)
    ? []
    : [`the trial of ${label} does not name the ${hit.victim}: ${outcome.message}`];
}

export function ledgerMisses(stored: RunSeen['stored']): Miss[] {
  if (typeof stored !== 'object') return [];
  const { trials, scenario } = stored.result;
  return trials.flatMap(({ variant, outcome, warnings }) =>
    outcome.status === 'completed'
      ? openLedger(
          outcome,
          scenario.deliveries,
          new Set(warnings.filter(({ level }) => level === 'invalid').map(({ code }) => code)),
        ).map((text): Miss => ({ aspect: 'ledger', text: `${variant.label}: ${text}` }))
      : [],
  );
}

/** @param said codes of the reasons why the trial does not count: what it reports of itself is not a miss */
function openLedger(
  { ledger, checks, valid }: Completed,
  planned: number,
  said: ReadonlySet<string>,
): string[] {
  const misses: string[] = [];
  const { expected, delivered, missed, unconfirmed, unexpected } = ledger;
  const closes = delivered + missed === expected && unconfirmed === 0 && unexpected === 0;
  if (!closes && !said.has('ledger-open'))
    misses.push(
      `expected ${expected}, delivered ${delivered}, missed ${missed}, unconfirmed ${unconfirmed}, ` +
        `unexpected ${unexpected}`,
    );
  if (valid && expected !== planned) misses.push(`${expected} deliveries expected, ${planned} planned`);
  const unlike = checks.filter(({ agree, note }) => !agree && note === '');
  if (unlike.length > 0 && !said.has('counts-disagree'))
    misses.push(unlike.map(({ name, server, client }) => `${name}: ${server} and ${client}`).join('; '));
  return misses;
}

/** @param output of any case */
export function wordMisses(output: string): Miss[] {
  const found = /^\s{2,}at \S.*:\d+:\d+\)?$|Native stack trace|defect of pushbench/m.exec(output);
  return found ? [{ aspect: 'words', text: `it printed: ${found[0].trim()}` }] : [];
}

function isEnd({ victim, act }: RunSeen['hit']): boolean {
  return victim === 'harness' && (act === 'interrupt' || act === 'terminate');
}

function isKill({ victim, act }: RunSeen['hit']): boolean {
  return victim === 'harness' && (act === 'kill' || act === 'stop-kill' || act === 'kill-frozen');
}

function isUnfinished(result: Result): boolean {
  return result.state.kind !== 'finished';
}

function junitErrors(junit: string): number {
  return Number(/<testsuites[^>]* errors="(\d+)"/.exec(junit)?.[1] ?? 0);
}

/** As a reader sees it: characters that Markdown or HTML would take for markup are escaped. */
function unescaped(markdown: string): string {
  return markdown
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\\([\\`*_[\]~#])/g, '$1');
}
