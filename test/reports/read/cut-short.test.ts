// A result whose run was cut short says so in every form, with each trial that is missing; nothing reads as
// if it had held, and nothing is decided on it. Results of version 1 are still read.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { historyOf } from '../../../core/comparison/history.ts';
import { cutShortText, requireFinished } from '../../../core/result/missing.ts';
import type { Result } from '../../../core/result/result.ts';
import { runSetOf } from '../../../core/comparison/run-set.ts';
import { openArchive } from '../../../reports/open/archive.ts';
import { documentsOf } from '../../../reports/export/formats.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { renderHistory } from '../../../reports/history/words.ts';
import { readHistory } from '../../../reports/history/read.ts';
import { readResult } from '../../../reports/read/read.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { fixtureResult } from '../fixture.ts';

/** Killed in the fifth of twelve trials. */
function killed(): Result {
  const whole = fixtureResult({ repeat: 2, measureS: 1 });
  const planned = whole.trials.map(({ variant, repetition }) => ({ variant: variant.label, repetition }));
  const trials = whole.trials.slice(0, 4);
  const there = new Set(trials.map(({ variant, repetition }) => `${variant.label} ${repetition}`));
  return {
    ...whole,
    trials,
    state: { kind: 'unfinished' },
    planned: { trials: planned, searches: [], afterwards: ['closedLoop'] },
    expectations: whole.expectations.map((one) =>
      there.has(`${one.variant} ${one.repetition}`)
        ? { ...one, held: true }
        : { ...one, measured: null, held: false },
    ),
  };
}

const missing =
  /8 of 12 trials missing: websocket \(trial 1\), webhook \(trial 1\), polling \(trial 2\).*; not measured: the closed loop/;

test('every form says that the run did not end, and which trials are missing', async () => {
  const result = killed();
  for (const format of ['html', 'markdown', 'junit', 'hlog', 'hgrm'] as const) {
    for (const { text } of await documentsOf(format, [result], { interactive: false })) {
      assert.match(text.replaceAll('&#40;', '(').replaceAll('&#41;', ')'), /The run did not end/, format);
      assert.match(text, /8 of 12 trials missing/, format);
      assert.doesNotMatch(text, /expectations? held/, format);
    }
  }
  assert.match(renderTable([result], { columns: 1000, color: false }), missing);
  const [csv] = await documentsOf('csv', [result], { interactive: false });
  assert.deepEqual(csv!.text.split('\r\n').filter((line) => line.includes(',missing,')).length, 8);
  const [junit] = await documentsOf('junit', [result], { interactive: false });
  assert.equal(junit!.text.match(/<error type="missing"/g)?.length, 8);
  assert.match(junit!.text, /^<testsuites name="pushbench" tests="\d+" failures="0" errors="(\d+)"/m);
  const unjudged = junit!.text.match(/<error type="not-judged"/g)?.length ?? 0;
  // Eight trials and the run itself, and each expectation on what is missing.
  assert.match(junit!.text, new RegExp(`^<testsuites [^>]* errors="${9 + unjudged}"`, 'm'));
  const [page] = await documentsOf('html', [result], { interactive: false });
  assert.match(page!.text, /<h2>Missing trials \(8\)<\/h2>/);
  // Expectations on them are counted, and listed only where somebody unfolds them.
  assert.ok(unjudged > 0);
  assert.match(page!.text, new RegExp(`${unjudged} of trials that are missing</summary>`));
  assert.doesNotMatch(renderTable([result], { columns: 1000, color: false }), /^  not judged: /m);
  assert.match(page!.text, /class="suspect"/);
});

test('how a run ended, and what a search found until then', () => {
  const result = killed();
  const { planned } = result;
  assert.match(
    cutShortText({ ...result, state: { kind: 'interrupted', by: 'SIGINT' } })!,
    /^The run was interrupted \(SIGINT\) before its end; 8 of 12/,
  );
  assert.match(
    cutShortText({ ...result, state: { kind: 'failed', why: 'no space' } })!,
    /^The run failed before its end \(no space\); 8 of 12/,
  );
  assert.equal(cutShortText({ ...result, state: { kind: 'finished' } }), undefined);
  const search = {
    what: 'subscribers',
    keep: 'missed == 0',
    like: '10',
    resolution: 0.1,
    steps: [],
    limit: { kind: 'none' as const },
  };
  const searched: Result = {
    ...result,
    planned: {
      ...planned!,
      trials: [],
      afterwards: [],
      searches: ['sse', 'websocket', 'polling'].map((variant) => ({ variant, what: 'subscribers' })),
    },
    searches: [
      { ...search, variant: 'sse', over: true },
      { ...search, variant: 'websocket', over: false },
    ],
  };
  assert.match(
    cutShortText(searched)!,
    /; searches cut off: websocket \(subscribers\); searches not begun: polling \(subscribers\)\.$/,
  );
});

test('nothing is decided on it', () => {
  assert.throws(() => requireFinished('x', killed()), { code: 'unfinished', exitCode: 4, message: missing });
  assert.throws(() => runSetOf('x', [fixtureResult(), killed()]), { code: 'unfinished', exitCode: 4 });
});

function folderOf(t: TestContext, results: Record<string, Result>): string {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-cut-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, result] of Object.entries(results)) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'result.json'), JSON.stringify(result));
  }
  return root;
}

test('a history leaves it out and says so, unless it is the one that was named', async (t) => {
  const root = folderOf(t, { whole: fixtureResult(), cut: killed() });
  const { sets, cut } = await readHistory([root]);
  assert.deepEqual([sets.length, cut], [1, ['cut']]);
  assert.match(
    renderHistory(historyOf(sets, cut), { columns: 200, color: false }),
    /Cut short and left out: cut/,
  );
  await assert.rejects(readHistory([join(root, 'cut')]), { code: 'unfinished', exitCode: 4 });
});

test('the index of open counts what is missing', async (t) => {
  const {
    runs: [run],
  } = await openArchive(folderOf(t, { cut: killed() })).list();
  assert.ok(run?.status === 'read');
  assert.deepEqual([run.trials, run.missing, run.whole], [4, 8, false]);
  assert.match(run.headline, /The run did not end/);
});

test('a result of version 1 is read as what it said', async () => {
  const path = new URL('results/version-1.json', import.meta.url).pathname;
  const result = await readResult(path);
  assert.deepEqual(
    [result.version, result.state, result.planned, result.trials.length],
    [2, { kind: 'finished' }, undefined, 2],
  );
  assert.doesNotMatch(renderTable([result], { columns: 120, color: false }), /did not end|interrupted/);
});

test('drawing a report gives others their turn, and ends when it is over', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('enough')), 0);
  await assert.rejects(
    renderHtml([fixtureResult({ measureS: 2 })], { interactive: false, over: stop.signal }),
    /enough/,
  );
});
