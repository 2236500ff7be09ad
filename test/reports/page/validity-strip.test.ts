// Holds that the strip ticks what was looked at and is good, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Completed, Result } from '../../../core/result/result.ts';
import { validityStrip } from '../../../reports/page/validity-strip.ts';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { processUse, stored } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

/** The fixture with each completed trial changed; `i` counts them. */
function changed(change: (trial: Completed, i: number) => Partial<Completed>, target?: string): Result {
  const result = fixtureResult();
  return {
    ...result,
    trials: result.trials.map((trial, i) => ({
      ...trial,
      variant: { ...trial.variant, ...(target !== undefined && { target }) },
      outcome:
        trial.outcome.status === 'completed'
          ? { ...trial.outcome, ...change(trial.outcome, i) }
          : trial.outcome,
    })),
  };
}

/** What stands in the strip, by its title; `suspect` is what greys out the page. */
function stripOf(result: Result): { items: Record<string, string>; suspect: boolean } {
  const { strip, suspect } = validityStrip([result], variantsOf([result]));
  const items = [...strip.markup.matchAll(/<dt>([^<]*)<\/dt>\s*<dd[^>]*>\s*([^<]*?)\s*</g)];
  return { items: Object.fromEntries(items.map(([, title, value]) => [title, value])), suspect };
}

const count = 'Server and client counts';
const could = 'Load generator headroom';
const ledger = 'Deliveries reconciled';

test.each<[what: string, title: string, change: Parameters<typeof changed>[0], said: RegExp]>([
  ['both sides counted the same', count, () => ({}), /^✓ agree$/],
  ['no side of a target counts', count, () => ({ checks: [] }), /^not compared$/],
  [
    'some were compared',
    count,
    (trial, i) => ({ checks: i < 2 ? [] : trial.checks }),
    /^✓ agree, not compared in 2 of 6 trials$/,
  ],
  ['the ledger', ledger, () => ({}), /^✓ [\d,]+$/],
  [
    'a ledger with nothing in it',
    ledger,
    ({ ledger }) => ({ ledger: { ...ledger, expected: 0, delivered: 0, missed: 0 } }),
    /^none expected$/,
  ],
  [
    'empty in one of six',
    ledger,
    ({ ledger }, i) => (i > 0 ? {} : { ledger: { ...ledger, expected: 0, delivered: 0, missed: 0 } }),
    /^✓ [\d,]+, none expected in 1 trial$/,
  ],
  [
    'an empty one to which something came',
    ledger,
    ({ ledger }) => ({ ledger: { ...ledger, expected: 0, delivered: 0, missed: 0, unexpected: 1 } }),
    /^✗ not in 6 trials$/,
  ],
  [
    'four times what the load generator may use',
    could,
    ({ processes }) => ({ processes: [...processes, processUse('load', { cpuUs: 4.1, wallUs: 1 })] }),
    /^✗ 0\.22x$/,
  ],
])('%s', (_what, title, change, said) => {
  const { items, suspect } = stripOf(changed(change));
  assert.match(items[title]!, said);
  assert.equal(suspect, false, 'the other figures stand');
});

test('the page is greyed out where nothing stands, or the run was cut short', () => {
  const voided = (of: number) => stripOf(changed((_trial, i) => (i < of ? { valid: false } : {}))).suspect;
  assert.deepEqual([voided(0), voided(1), voided(5), voided(6)], [false, false, false, true]);
  assert.equal(
    stripOf({ ...changed(() => ({})), state: { kind: 'interrupted', by: 'SIGINT' } }).suspect,
    true,
  );
});

test('nothing is said of a load generator of which nothing was seen', () => {
  const { items } = stripOf(
    changed(({ latency, series }) => ({
      processes: [processUse('server')],
      series: { ...series, columns: {} },
      latency: { ...latency, publisherLag: stored() },
    })),
  );
  assert.deepEqual(
    Object.keys(items).filter((title) => /lag|load|Load/.test(title)),
    [],
  );
});

test('a subscriber with several connections: how many, beside the table, in every form', () => {
  const said = (connections: number | undefined, target?: string) => {
    const result = changed(() => ({ connections }), target);
    return { notes: resultTable([result]).notes, result };
  };
  assert.deepEqual(said(100).notes, []);
  assert.deepEqual(said(105).notes, [], 'a few that are being replaced');
  assert.deepEqual(said(undefined).notes, [], 'an older result');
  assert.match(said(106).notes[0]!, /: 1\.06 connections per subscriber\. Descriptors count each of them\.$/);
  const { notes, result } = said(200, 'feed');
  assert.match(
    notes[0]!,
    /^polling.*: 2 connections per subscriber: the target file gives one stream a topic, where our servers carry/,
  );
  assert.match(renderMarkdown([result]), /\n\npolling.*: 2 connections per subscriber: the target file/);
  assert.match(
    renderTable([result], { columns: 400, color: false }),
    /\npolling.*: 2 connections per subscriber/,
  );
});
