// Holds that every form of a report says who was away and came back, and beside each loss for how long.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { compare } from '../../../core/comparison/compare-runs.ts';
import { awayWords, type TimeAway } from '../../../core/result/recovery-words.ts';
import { reconnectWords } from '../../../core/scenario/reconnect-words.ts';
import { loadsOf } from '../../../reports/summary/at-load.ts';
import { awayLines } from '../../../reports/summary/away.ts';
import { comparisonHeadline, toldOf } from '../../../reports/comparison/words.ts';
import { runSetOf } from '../../../core/comparison/run-set.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { completed, runFake } from '../../fake/run.ts';

const away =
  'lients were away for 200 ms (median, longest 400 ms) and came back by ' +
  'full-jitter (base 100 ms, cap 5 s)';
/** As one line, without marks of their own. */
const plain = (text: string) =>
  text
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&#160;', ' ')
    .replaceAll(' ', ' ')
    .replaceAll(/\\(.)/g, '$1')
    .replaceAll(/\s+/g, ' ');

/** Pages are too long to be printed where they lack something. */
function has(text: string, wanted: RegExp): void {
  assert.ok(wanted.test(text), `${wanted} is not in ${text.slice(0, 500)}`);
}

const faulty = (options: string) =>
  `variants: [{ fake: { ${options} } }, { fake: { latencies: [11ms] } }]\n` +
  'faults: [{ at: 1s, disconnect: 40% }]';

test('every form tells a loss with how long clients were away and how they came back', async () => {
  const { result } = await runFake(faulty('loseEvery: 100, cutOff: 40'));
  const trial = completed(result);
  const { cut, connects, missedAway } = trial.recovery!;
  assert.ok(trial.ledger.missed > 100);
  assert.deepEqual(
    [cut?.absences, cut?.recovered, cut?.tooLate, connects.peakPerS, missedAway],
    [40, 36, 4, 40, 40],
  );
  assert.equal(completed(result, 1).recovery, undefined);
  const page = plain(await renderHtml([result], { interactive: false }));
  const [terminal, markdown] = [
    plain(renderTable([result], { columns: 0, color: false })),
    plain(renderMarkdown([result])),
  ];
  for (const text of [page, terminal, markdown]) {
    assert.ok(text.includes(`C${away}`), 'in the headline');
    has(text, /missed \d+ of 20,000 deliveries \(40 while away\)/);
    has(text, /[Ll]ost \d+ of 20,000 deliveries \(40 while away\); clients were away for 200 ms/);
    has(text, /when the drain limit was reached; clients were away for 200 ms/);
  }
  for (const text of [terminal, markdown])
    has(
      text,
      /40 clients cut off, 36 recovered, 4 too late; caught up after 190 ms \(median\), at most 390 ms; at most 40 connections opened in a second, 0 refused\./,
    );
  has(page, /Who was cut off, and who came back/);
  has(page, /Where deliveries were missed: fake[^:]*: clients were away/);
  has(page, /Clients away over time/);
  has(page, /Faults, shaded in the charts over time: the server cut 40 % of its connections \(at 1\.0 s\)/);
  assert.equal(loadsOf([result])[0]!.rows[0]!.lost.away, `c${away}`);
});

test('absences are not clients: who was away several times is one, and both figures are said', async () => {
  const { result } = await runFake(faulty('cutOff: 40'));
  const { recovery } = completed(result);
  Object.assign(recovery!.cut!, { absences: 100, recovered: 96 });
  Object.assign(recovery!, { subscribers: 60, connects: { ...recovery!.connects, refused: 50 } });
  const [line] = awayLines([result]);
  has(line!, /: 100 absences of 60 clients cut off \(1\.7 each\), 96 recovered, 4 too late; /);
  has(line!, /50 refused \(1\.5 attempts per absence\)/);
  const page = plain(await renderHtml([result], { interactive: false }));
  has(page, /100 \(1\.7 each\)/);
  Object.assign(recovery!, { left: recovery!.cut });
  has(awayLines([result])[0]!, /: 100 times cut off, 96 recovered, 4 too late; 100 times left, 96 recovered/);
});

test('nobody away: no word of it, and no bytes of the page', async () => {
  const { result } = await runFake('variants: [{ fake: { loseEvery: 100 } }]');
  assert.deepEqual(awayLines([result]), []);
  const page = await renderHtml([result], { interactive: false });
  for (const word of ['while away', 'came back', 'id="recovery"', 'time-away', 'Faults'])
    assert.equal(page.includes(word), false, word);
});

test('a comparison that finds more missed says how long the clients of each side were away', async () => {
  const { result: after } = await runFake(faulty('loseEvery: 100, cutOff: 40'));
  const before = structuredClone(after);
  const { ledger } = completed(before);
  Object.assign(ledger, { missed: 0, delivered: ledger.expected });
  const comparison = compare(runSetOf('before', [before]), runSetOf('after', [after]), {
    createdAt: new Date(after.createdAt),
  });
  has(
    comparisonHeadline(comparison),
    /missed .* Where the candidate missed deliveries, clients were away for 200 ms/,
  );
  const { rest } = toldOf(comparison.variants[0]!);
  assert.deepEqual(
    rest.filter((text) => text.includes('away')),
    [`Where the candidate missed deliveries, c${away}.`],
  );
});

test('words for any mix of variants', () => {
  const one: TimeAway = {
    medianUs: 200_000,
    longestUs: 400_000,
    back: 40,
    neverBack: 0,
    policies: ['phoenix'],
  };
  assert.equal(awayWords([]), undefined);
  assert.equal(
    awayWords([one]),
    'clients were away for 200 ms (median, longest 400 ms) and came back by phoenix',
  );
  assert.equal(
    awayWords([one, { ...one, medianUs: 90_000, neverBack: 3, policies: ['signalr'] }]),
    'clients were away for 90 ms to 200 ms (medians, longest 400 ms) and came back by phoenix and signalr; ' +
      '3 never came back',
  );
  const { medianUs: _, ...few } = one;
  assert.equal(
    awayWords([{ ...few, policies: [] }]),
    'clients were away for up to 400 ms and came back when the scenario let them',
  );
  assert.equal(
    awayWords([{ ...few, back: 0, neverBack: 9 }]),
    'clients were away for up to 400 ms and never came back',
  );
});

test('a policy is named, with its bounds where these are all of it', () => {
  assert.equal(reconnectWords({ base: 100, cap: 5000 }), 'full-jitter (base 100 ms, cap 5 s)');
  assert.equal(
    reconnectWords({ policy: 'decorrelated', base: 1000, cap: 60_000, advice: 'ignore' }),
    "decorrelated (base 1 s, cap 60 s), ignoring the server's advice",
  );
  assert.equal(
    reconnectWords({ policy: 'phoenix', base: 10, cap: 5000, reset: { stable: 10_000 } }),
    'phoenix, starting again after 10 s connected',
  );
  assert.equal(reconnectWords({ policy: 'phoenix', base: 10, cap: 5000, advice: 'obey' }), 'phoenix');
});
