// How often the gate is wrong, by seeded experiments whose truth is known: noise with heavy tails of about 5
// % a run on a machine that drifts by 2 % from run to run.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Gate } from '../../../core/comparison/gate.ts';
import type { Pair } from '../../../core/comparison/counted-runs.ts';
import { judge, ruleOf } from '../../../core/comparison/judge.ts';
import { random } from '../../../core/base/random.ts';
import { binomialInterval } from '../../../core/comparison/statistics/binomial.ts';
import { planPairs } from '../../../core/comparison/pairs.ts';
import { comparisons, experiment, experiments, paired, ratioGates } from './readings.ts';

const gate: Gate[] = [{ kind: 'ratio', metric: 'latency.p50', minimumEffect: 0.05, gating: true }];
const judged = (pairs: readonly Pair[], strict = false) =>
  judge([paired(pairs)], gate, ruleOf({ strict })).variants[0]!;
const pOf = (pairs: readonly Pair[]) => {
  const [metric] = judged(pairs).metrics;
  return metric?.kind === 'ratio' ? metric.p : 1;
};
const share = (all: readonly Pair[][], holds: (pairs: Pair[]) => boolean) =>
  all.filter(holds).length / all.length;

test(
  '2,000 comparisons of a thing with itself: the test rejects as ' +
    'often as it says, and the full rule hardly ever',
  () => {
    const same = experiments(2000, 1, { pairs: 10 });
    const rejected = same.filter((pairs) => pOf(pairs) < 0.05).length;
    // The exact size at 10 pairs, to one side: 43 of the 1024 signs give a negative sum of 10 or less.
    const [low, high] = binomialInterval(rejected, same.length, 0.99);
    const size = 43 / 1024;
    assert.ok(low <= size && size <= high, `${rejected} of 2,000 rejected`);
    const alarms = share(same, (pairs) => judged(pairs).verdict === 'slower');
    assert.ok(alarms <= 0.01, `${alarms} false alarms`);
    const strict = share(same, (pairs) => judged(pairs, true).verdict === 'slower');
    assert.equal(strict, 0, 'the strict rule raised one');
  },
);

test('10 % slower at 10 pairs is caught 88 times of 100 and more; the strict rule misses many', () => {
  const slower = experiments(1500, 2, { pairs: 10, effect: 1.1 });
  const caught = share(slower, (pairs) => judged(pairs).verdict === 'slower');
  assert.ok(caught >= 0.88, `${caught} caught`);
  const strict = share(slower, (pairs) => judged(pairs, true).verdict === 'slower');
  assert.ok(strict < caught - 0.1, `${strict} caught by the strict rule, ${caught} without`);
});

test('faster is never slower, and a clear enough candidate is shown to be not slower', () => {
  const faster = experiments(500, 3, { pairs: 12, effect: 0.85 });
  assert.equal(
    share(faster, (pairs) => judged(pairs).verdict === 'slower'),
    0,
  );
  assert.ok(share(faster, (pairs) => judged(pairs).verdict === 'not-slower') > 0.95);
});

test('blocked order fails, whatever the rule: this is why runs are interleaved', () => {
  const blocked = experiments(1000, 4, { pairs: 10, order: 'blocked' });
  assert.ok(
    share(blocked, (pairs) => pOf(pairs) < 0.05) > 0.2,
    'a blocked design rejects far more often than 5 %',
  );
  assert.ok(
    share(blocked, (pairs) => judged(pairs).verdict === 'slower') > 0.05,
    'the minimum effect does not rescue it',
  );
});

test('20 metrics of nothing: Holm keeps false alarms of the whole comparison at the level', () => {
  const metrics = Array.from({ length: 20 }, (_, i) => `metric-${i}`);
  const runs = experiments(300, 5, { pairs: 10, metrics, drift: 0 });
  const rates = [metrics, ['metric-0']].map((names) => {
    const pairsOf = (pairs: Pair[]) =>
      names.map((name) =>
        paired(
          pairs.map(({ baseline, candidate }) => ({
            baseline: { ...baseline, values: { 'latency.p50': baseline.values[name]! } },
            candidate: { ...candidate, values: { 'latency.p50': candidate.values[name]! } },
          })),
          name,
        ),
      );
    const none: Gate[] = [{ kind: 'ratio', metric: 'latency.p50', minimumEffect: 0, gating: true }];
    return share(runs, (pairs) => judge(pairsOf(pairs), none).verdict === 'slower');
  });
  const [low] = binomialInterval(Math.round(rates[0]! * runs.length), runs.length, 0.99);
  assert.ok(low <= 0.05, `${rates[0]} of comparisons over 20 metrics raised a flag`);
});

test('12 pairs and, where nothing is decided, 24: the two looks together stay at the level', () => {
  const next = random(6, 'extension');
  const none: Gate[] = [{ kind: 'ratio', metric: 'latency.p50', minimumEffect: 0, gating: true }];
  const total = 1500;
  let [once, twice] = [0, 0];
  for (let i = 0; i < total; i++) {
    const pairs = experiment(next, { pairs: 24 });
    const slower = (count: number, look: number) =>
      judge([paired(pairs.slice(0, count))], none, ruleOf({ look, looks: 2 })).verdict === 'slower';
    if (slower(12, 1)) once++;
    else if (slower(24, 2)) twice++;
  }
  const [low] = binomialInterval(once + twice, total, 0.99);
  assert.ok(low <= 0.05, `${once} and ${twice} of ${total} one-sided alarms`);
  assert.ok(twice > 0, 'the second look decides something');
});

/** A harder case than the noise above, which is narrower in its middle. */
const fivePercent = { noise: 0.05, drift: 0, tails: 'normal' } as const;
const planned = (variants: number) => planPairs(ratioGates, variants, 0.05).pairs;
/** Share of comparisons, or of their variants, with a verdict. */
const shareOf = (all: ReturnType<typeof comparisons>, verdict: string) => {
  const judged = all.map((subjects) => judge(subjects, ratioGates));
  return {
    whole: judged.filter((one) => one.verdict === verdict).length / judged.length,
    firstVariant: judged.filter(({ variants }) => variants[0]!.verdict === verdict).length / judged.length,
  };
};

test('a thing compared with itself is shown to be not slower at least half of the time', () => {
  const one = comparisons(1000, 7, 1, () => ({ pairs: 12 }));
  const proposed = comparisons(400, 14, 1, () => ({ pairs: planned(1), ...fivePercent }));
  const six = comparisons(150, 8, 6, () => ({ pairs: planned(6), ...fivePercent }));
  const [ofOne, ofProposed, ofSix] = [one, proposed, six].map((all) => shareOf(all, 'not-slower').whole);
  assert.ok(ofOne! >= 0.5, `one variant at 12 pairs: ${ofOne}`);
  assert.ok(ofProposed! >= 0.5, `one variant at ${planned(1)} pairs: ${ofProposed}`);
  assert.ok(ofSix! >= 0.5, `six variants at ${planned(6)} pairs, all together: ${ofSix}`);
});

test('six variants at the pairs that are planned: hardly an alarm, and +10 % in one of them is caught', () => {
  const pairs = planned(6);
  const same = comparisons(150, 9, 6, () => ({ pairs }));
  assert.ok(shareOf(same, 'slower').whole <= 0.01);
  const spiked = comparisons(150, 10, 6, () => ({ pairs, spikes: 0.1 }));
  const alarms = shareOf(spiked, 'slower').whole;
  assert.ok(alarms <= 0.03, `${alarms} with a tenth of the runs spiked`);
  const slower = comparisons(150, 11, 6, (variant) => ({ pairs, effect: variant === 0 ? 1.1 : 1 }));
  assert.ok(shareOf(slower, 'slower').firstVariant >= 0.95);
});

test('one stalled run: +50 % is caught with the pairs that are planned, and 12 ask for about twice as many', () => {
  const stalled = (pairs: number, seed: number) =>
    comparisons(200, seed, 1, () => ({ pairs, effect: 1.5, stalled: 1 }));
  assert.ok(shareOf(stalled(planned(1), 12), 'slower').whole >= 0.99);
  for (const subjects of stalled(12, 13)) {
    const { metrics, verdict } = judge(subjects, ratioGates).variants[0]!;
    assert.equal(verdict, 'inconclusive');
    for (const metric of metrics)
      assert.ok(metric.kind === 'ratio' && metric.runsNeeded! >= 20 && metric.runsNeeded! <= 30);
  }
});
