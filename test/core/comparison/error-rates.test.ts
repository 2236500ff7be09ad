// How often the gate is wrong, by seeded experiments whose truth is known: noise with heavy tails of about 5
// % a run on a machine that drifts by 2 % from run to run.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Gate } from '../../../core/comparison/gate.ts';
import type { Pair } from '../../../core/comparison/counted-runs.ts';
import { judge, ruleOf } from '../../../core/comparison/judge.ts';
import { random } from '../../../core/base/random.ts';
import { binomialInterval } from '../../../core/comparison/statistics/binomial.ts';
import { experiment, experiments, paired } from './readings.ts';

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
    // The exact size at 10 pairs: 50 of the 1024 signs give 8 or less, or 47 or more.
    const [low, high] = binomialInterval(rejected, same.length, 0.99);
    const size = 50 / 1024;
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
  // Half of the two-sided level points up.
  assert.ok(low <= 0.025, `${once} and ${twice} of ${total} one-sided alarms`);
  assert.ok(twice > 0, 'the second look decides something');
});
