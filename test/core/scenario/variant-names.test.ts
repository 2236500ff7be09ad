// A variant's name for readers (`as`): how it is written, that it is unique, and who finds the variant by it.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { compare } from '../../../core/comparison/compare-runs.ts';
import { readBaseline, writeBaseline } from '../../../core/comparison/baseline.ts';
import { runSetOf } from '../../../core/comparison/run-set.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { checkExpectations } from '../../../core/scenario/expectations.ts';
import { describeScenario, parseScenario } from '../../../core/scenario/scenario-file.ts';
import type { Result } from '../../../core/result/result.ts';
import { pairLabel } from '../../../reports/comparison/verdict-words.ts';
import { fixtureResult } from '../../reports/fixture.ts';
import { completed, trialOf } from '../result/trial.ts';

function parse(variants: string, expect = '[]') {
  const source =
    'question: q\nsubscribers: 2\ntopics: { news: { publish: 10/s } }\n' +
    `variants: ${variants}\nexpect: ${expect}\n`;
  return parseScenario(source, { file: 'x.yaml', registry: patterns, overrides: [] }).scenario;
}

test('a variant keeps its label and has the name beside it; validate and list show both', () => {
  const scenario = parse('[sse, { sse: { over: h2 }, as: Events (h2) }]');
  assert.deepEqual(
    scenario.variants.map(({ label, as }) => [label, as]),
    [
      ['sse', undefined],
      ['sse h2', 'Events (h2)'],
    ],
  );
  assert.match(describeScenario(scenario), /: sse, Events \(h2\) \(sse h2\)\n/);
});

describe('is refused', () => {
  test.each([
    [
      'of two variants',
      '[{ sse: {}, as: A }, { websocket: {}, as: A }]',
      /"A" is the name of variants\[0\] too/,
    ],
    ['that is a pattern', '[{ sse: {}, as: polling }]', /"polling" is a pattern/],
    ['that is a label', '[sse h2, { sse: {}, as: sse }]', /expected|"sse"/],
    [
      'that is the label of another',
      '[{ sse: { over: h2 }, as: x }, { polling: {}, as: sse h2 }]',
      /"sse h2" is the label of variants\[0\]/,
    ],
    ['with an @, as a target has', '[{ sse: {}, as: a @b }]', /1 to 40 characters/],
    ['without a pattern', '[{ as: a }]', /one pattern with its options/],
  ])('one %s', (_what, variants, message) => {
    assert.throws(() => parse(variants), message);
  });
  test('an expectation for a name that is none, with the nearest', () => {
    assert.throws(
      () => parse('[{ sse: {}, as: Events }]', '[{ check: missed == 0, for: [Event] }]'),
      /no variant "Event".*did you mean "Events"/,
    );
  });
});

test('an expectation finds the variant by either, on targets too, and keeps the label', () => {
  const trial = (label: string, target?: string) => {
    const one = trialOf(label, completed());
    const { pattern, options } = one.variant;
    const variant = { pattern, label, options, as: 'Events', ...(target !== undefined && { target }) };
    return { ...one, variant };
  };
  const trials = [trial('sse h2'), trial('sse h2 @mine', 'mine')];
  const judged = (name: string) =>
    checkExpectations(
      {
        variants: trials.map(({ variant }) => variant),
        expect: [{ check: 'missed <= 100', for: [name], where: undefined }],
      },
      trials,
    ).map(({ variant }) => variant);
  for (const name of ['Events', 'sse h2']) assert.deepEqual(judged(name), ['sse h2', 'sse h2 @mine']);
  assert.deepEqual(judged('Events @mine'), ['sse h2 @mine']);
});

test('two runs are paired by label, or else by name, which a baseline keeps', () => {
  const named = (label: string): Result => {
    const result = fixtureResult();
    const trials = result.trials
      .filter(({ variant }) => variant.label === 'sse')
      .map((trial) => ({ ...trial, variant: { ...trial.variant, label, as: 'Events' } }));
    return { ...result, trials };
  };
  const [from, to] = [runSetOf('a', [named('sse')]), runSetOf('b', [named('sse h2')])];
  const kept = readBaseline(writeBaseline(from, new Date(0)), 'x').runs;
  assert.equal(kept.variants[0]!.as, 'Events');
  const { variants, unmatched } = compare(kept, to, { createdAt: new Date(0) });
  assert.deepEqual(
    variants.map(({ baseline, candidate }) => [baseline, candidate]),
    [['sse', 'sse h2']],
  );
  assert.deepEqual(unmatched, { baseline: [], candidate: [] });
  assert.equal(pairLabel(variants[0]!), 'Events');
});
