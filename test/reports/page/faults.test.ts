// Holds that a report shows the faults of its trials: named with both times, and shaded in every chart over
// time.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Completed, Result, TrialFault } from '../../../core/result/result.ts';
import { faultSpans } from '../../../reports/summary/fault-spans.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { fixtureResult } from '../fixture.ts';

const froze: TrialFault = {
  kind: 'freeze',
  did: 'the server stood still for 500ms',
  atMs: 1000,
  atUs: 1_003_400,
  forMs: 500,
};
const cut: TrialFault = {
  kind: 'disconnect',
  did: 'the server cut 50 % of its connections',
  atMs: 2000,
  atUs: 2_001_000,
};

function withTrialFaults(faults: TrialFault[] | undefined): Result {
  const result = fixtureResult({ measureS: 4 });
  return {
    ...result,
    trials: result.trials.map((trial) =>
      trial.outcome.status === 'completed' && faults
        ? { ...trial, outcome: { ...trial.outcome, faults } satisfies Completed }
        : trial,
    ),
  };
}

const page = (faults?: TrialFault[]) => renderHtml([withTrialFaults(faults)], { interactive: false });

/** Drawings in the page, and the shades among their marks. */
const drawings = (html: string) => html.match(/<svg/g)!.length;
const marks = (html: string, kind: 'rect' | 'rule') =>
  [...html.matchAll(new RegExp(`mark-${kind} role-mark[^>]*>(.*?)</g>`, 'gs'))].reduce(
    (sum, [, inside]) => sum + inside!.match(/<(?:path|line)/g)!.length,
    0,
  );

test('each fault is named with the time that was planned and the time at which it happened', async () => {
  const html = await page([froze, { ...cut, atUs: null }]);
  assert.match(html, /<h2>Faults<\/h2>/);
  assert.match(
    html,
    /<td[^>]*>the server stood still for 500ms<\/td>\s*<td[^>]*>1\.000 s<\/td>\s*<td[^>]*>1\.003 s<\/td>/,
  );
  assert.match(
    html,
    /<td[^>]*>the server cut 50 %.*<\/td>\s*<td[^>]*>2\.000 s<\/td>\s*<td[^>]*>did not happen</,
  );
});

test('charts over time have one more shade for one that lasts, one line for one of a moment', async () => {
  const [plain, faulty] = [await page(), await page([froze, cut])];
  const shadesOver = marks(faulty, 'rect') - marks(plain, 'rect');
  assert.ok(shadesOver > 0);
  assert.equal(marks(faulty, 'rule') - marks(plain, 'rule'), shadesOver);
  assert.equal(drawings(faulty), drawings(plain));
  const explained = faulty.match(/are the faults of the scenario/g)!.length;
  assert.ok(shadesOver === explained || shadesOver === 2 * explained, 'a wide drawing and a narrow one each');
});

test('a trial without faults says nothing of them', async () => {
  assert.doesNotMatch(await page(), /Faults|faults that the scenario/);
});

test('a span covers the same fault in all trials of a chart, from the first begin to the last end', () => {
  const spans = faultSpans([
    { faults: [froze, cut] },
    {
      faults: [
        { ...froze, atUs: 1_010_000 },
        { ...cut, atUs: null },
      ],
    },
    {},
  ]);
  assert.deepEqual(spans, [
    { what: froze.did, fromS: 1.0034, toS: 1.51 },
    { what: cut.did, fromS: 2.001, toS: 2.001 },
  ]);
});
