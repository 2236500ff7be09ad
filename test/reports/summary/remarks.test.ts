// Reads what is said beside the answer, each at the edge from which on it is said.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { remarksOf } from '../../../reports/summary/remarks.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { failed, resultOf, shaped } from './shaped.ts';

const half = 'latency.p50';

function remarksIn(result: Result, said: readonly string[] = [half]): string[] {
  return remarksOf([result], variantsOf([result]), said);
}
const remarks = (...trials: Result['trials']) => remarksIn(resultOf(trials));

test('publishing that took a second, and four times as long as elsewhere, is told', () => {
  const of = (mostUs: number, leastUs: number) =>
    remarks(shaped('a', { roundTripUs: mostUs }), shaped('b', { roundTripUs: leastUs }));
  const told = ['Publishing took up to 1 s with a, up to 250 ms with b.'];
  assert.deepEqual(of(1_000_000, 250_000), told);
  assert.deepEqual(of(1_000_000, 260_000), [], 'less than four times');
  assert.deepEqual(of(990_000, 100_000), [], 'less than a second');
  const twice = [shaped('a', { roundTripUs: 50_000 }, 1), shaped('a', { roundTripUs: 1_000_000 }, 2)];
  assert.deepEqual(remarks(...twice, shaped('b', { roundTripUs: 250_000 })), told, 'the longest of a trial');
});

describe('losses', () => {
  const lossy = (names: string) => names.split('').map((label) => shaped(label, { ledger: { missed: 2 } }));
  test('of six variants are listed, of seven counted', () => {
    const [line] = remarks(...lossy('abcdef'));
    assert.match(line!, /^a missed 2 of 13 deliveries, b .* and f missed 2 of 13 deliveries\.$/);
    assert.equal(remarks(...lossy('abcdefg'))[0], '7 variants missed deliveries.');
  });
});

describe('variants that the answer leaves out', () => {
  const fails = (names: string) => names.split('').map((label) => failed(label));
  test('are listed up to six, and counted among all', () => {
    const six = 'Left out of this answer: a failed; b failed; c failed; d failed; e failed; f failed.';
    assert.deepEqual(remarks(...fails('abcdef')), [six]);
    assert.deepEqual(remarks(...fails('abcdefg'), shaped('sse')), [
      '7 of 8 variants are left out of this answer; the warnings say why.',
    ]);
  });
  test('are none of a search, whose steps say what does not count', () => {
    assert.deepEqual(remarksIn({ ...resultOf(fails('a')), searches: [] }), []);
  });
  test('are none that merely lack events for a figure', () => {
    assert.deepEqual(remarksIn(resultOf([shaped('sse')]), ['latency.p99']), []);
  });
  test('are said with the warnings that void the figure, and no other', () => {
    const both = shaped('sse', { voids: { 'load-limited': ['bytes'], 'publisher-late': ['latency'] } });
    assert.deepEqual(remarks(both), ['Left out of this answer: sse (publisher late).']);
    // An older result does not say which figures a warning makes void.
    const { outcome } = both;
    assert.ok(outcome.status === 'completed');
    const { voids: _, ...older } = outcome;
    const hint = { code: 'few-samples', level: 'note' as const, message: '' };
    assert.deepEqual(remarks({ ...both, warnings: [hint, ...both.warnings], outcome: older }), [
      'Left out of this answer: sse (load limited, publisher late).',
    ]);
  });
});

describe('deliveries that were made again', () => {
  const again = (label: string, ledger: object = {}, more: object = {}, repetition = 1) =>
    shaped(label, { answersLost: 3, ledger, ...more }, repetition);

  test('say what came twice, and how many of it no lost answer explains', () => {
    const twice = (duplicated: number) => remarks(again('a', { duplicated }))[1];
    assert.equal(twice(0), undefined);
    assert.equal(twice(1), '1 delivery came twice, each after a lost answer.');
    assert.equal(twice(4), '4 deliveries came twice, 1 of them without a lost answer.');
  });

  test('say that nothing was lost of those of which it is known', () => {
    const known = (...trials: Result['trials']) => remarks(...trials)[0];
    assert.equal(known(again('a')), 'Nothing was lost.');
    assert.equal(known(again('a', { missed: 1 })), 'a missed 1 of 13 deliveries.');
    assert.equal(
      known(again('a'), shaped('b', { ledger: { missed: 1 } })),
      'b missed 1 of 13 deliveries.',
      'of a variant without retries too',
    );
    assert.equal(known(again('a'), failed('a', 2), again('b')), 'Nothing was lost with b.');
    assert.deepEqual(remarks(again('a'), failed('a', 2)), []);
    assert.deepEqual(remarks(shaped('a'), shaped('a', { answersLost: 1 }, 2)), ['Nothing was lost.']);
  });

  test('say of a backlog of a hundred how high it rose and what was left of it', () => {
    const queued = (peak: number) => remarks(again('a', {}, { backlog: [1, peak, 5] }))[1];
    assert.equal(queued(99), undefined);
    assert.equal(
      queued(100),
      'The backlog peaked at 100 deliveries and was 5 at the end of the measured phase.',
    );
  });

  test('say who kept the order where others did not: six by name, more by number', () => {
    const order = (kept: string, broken: string) =>
      remarks(
        ...kept.split('').map((label) => again(label)),
        ...broken.split('').map((label) => again(label, { reordered: 1 })),
      )[1];
    assert.equal(order('a', 'b'), 'Only a kept the order.');
    assert.equal(order('ab', ''), undefined);
    assert.equal(order('', 'ab'), undefined);
    assert.equal(order('abcdef', 'x'), 'Only a, b, c, d, e and f kept the order.');
    assert.equal(order('abcdefg', 'x'), 'Only 7 variants kept the order.');
  });
});

test('a result that was cut short is named among several', () => {
  const state = { kind: 'interrupted' as const, by: 'SIGINT' as const };
  const one = { ...resultOf([shaped('sse')]), state };
  const text = 'The run was interrupted (SIGINT) before its end.';
  assert.deepEqual(remarksIn(one), [text]);
  const other = { ...resultOf([shaped('sse')], { name: 'outage' }) };
  assert.deepEqual(remarksOf([other, one], variantsOf([other, one]), [half]), [`compare: ${text}`]);
});
