// A step search as pure arithmetic: which value comes next, when it is over, what it found.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { describeScenario, parseScenario } from '../../../core/scenario/scenario-file.ts';
import {
  limitOf,
  mostTrials,
  nextValue,
  resolutionOf,
  searchSchema,
  writeLike,
  type Tried,
  type Verdict,
} from '../../../core/scenario/search.ts';

const search = (more: Record<string, unknown> = {}) =>
  searchSchema.parse({ what: 'subscribers', from: 100, to: 10_000, keep: 'latency.p99 < 100ms', ...more });

/** Runs a search against a system that holds up to and including `most`. */
function run(of: ReturnType<typeof search>, verdictOf: (value: number) => Verdict): Tried[] {
  const tried: Tried[] = [];
  for (let value = nextValue(of, tried); value !== undefined; value = nextValue(of, tried)) {
    tried.push({ value, verdict: verdictOf(value) });
    assert.ok(tried.length < 100, 'the search goes on for ever');
  }
  return tried;
}
const upTo =
  (most: number) =>
  (value: number): Verdict =>
    value <= most ? 'held' : 'broken';

test('a scenario may leave "to" out, and its description says that there is no end', () => {
  const { scenario } = parseScenario(
    `
question: How many?
subscribers: 5
topics: { news: { publish: 10/s } }
variants: [sse]
search: [{ what: topics.news.publish, from: 10/s, keep: latency.max < 1s }]
`,
    { file: 'open.yaml', registry: patterns, overrides: [] },
  );
  assert.match(
    describeScenario(scenario),
    /searches the highest topics\.news\.publish from 10\/s on with latency\.max < 1s/,
  );
});

test('up by the factor until it breaks, then halvings of the gap on a logarithmic scale', () => {
  const tried = run(search({ refine: 2 }), upTo(500));
  assert.deepEqual(
    tried.map(({ value }) => value),
    [100, 200, 400, 800, 566, 476],
  ); // √(400·800), √(400·566)
  assert.deepEqual(limitOf(tried), { kind: 'found', value: 476, brokenAt: 566 });
});

describe('its ends', () => {
  test('the highest value allowed', () => {
    const tried = run(search({ to: 300 }), upTo(1e9));
    assert.deepEqual(
      tried.map(({ value }) => value),
      [100, 200, 300],
    );
    assert.deepEqual(limitOf(tried), { kind: 'at-least', value: 300 });
  });
  test('without "to" it goes on until the check breaks', () => {
    const tried = run(search({ to: undefined, refine: 0 }), upTo(50_000));
    assert.deepEqual(
      tried.map(({ value }) => value),
      [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200],
    );
    assert.deepEqual(limitOf(tried), { kind: 'found', value: 25_600, brokenAt: 51_200 });
  });
  test('without "to" and with nothing that breaks it ends after ten steps up', () => {
    const open = search({ to: undefined });
    const tried = run(open, upTo(1e9));
    assert.equal(tried.length, 11);
    assert.deepEqual(limitOf(tried), { kind: 'at-least', value: 102_400 });
    assert.equal(mostTrials(open), 12, 'with a refinement that none of these needed');
  });
  test('a trial that does not count ends it with what had held', () => {
    const tried = run(search(), (value) => (value > 300 ? 'ended' : 'held'));
    assert.deepEqual(limitOf(tried), { kind: 'at-least', value: 200 });
  });
  test('a trial that does not count between two that do leaves what was found', () => {
    const tried = run(search({ refine: 3 }), (value) => (value === 566 ? 'ended' : upTo(500)(value)));
    assert.deepEqual(limitOf(tried), { kind: 'found', value: 400, brokenAt: 800 });
  });
  test('the first value breaks', () =>
    assert.deepEqual(limitOf(run(search(), upTo(50))), { kind: 'below', value: 100 }));
  test('the first trial does not count', () =>
    assert.deepEqual(limitOf(run(search(), () => 'ended')), { kind: 'none' }));
});

test(
  'whatever the system holds, the answer is within the ' + 'resolution and within the number of trials said',
  () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 10_000 }),
        fc.double({ min: 1.2, max: 10, noNaN: true }),
        fc.integer({ min: 0, max: 5 }),
        (most, factor, refine) => {
          const of = search({ factor, refine });
          const tried = run(of, upTo(most));
          assert.ok(tried.length <= mostTrials(of));
          const limit = limitOf(tried);
          assert.ok(
            limit.kind === 'found'
              ? limit.value <= most && most < limit.brokenAt
              : limit.kind === 'at-least' && limit.value <= most,
          );
          // Counts are whole, so a gap of one cannot be halved.
          if (limit.kind === 'found')
            assert.ok(
              limit.brokenAt / limit.value <= (1 + resolutionOf(of)) * 1.05 ||
                limit.brokenAt - limit.value <= 2,
            );
        },
      ),
    );
  },
);

test('values are written in the unit of the first', () => {
  assert.deepEqual(
    [writeLike('60/m', 566), writeLike('100', 566), writeLike('1KiB', 2048)],
    ['566/s', '566', '2048B'],
  );
});

test('steps over rates of each topic are written so', () => {
  assert.equal(writeLike('0.5/s each', 2), '2/s each');
});

describe('in a scenario', () => {
  const base = 'question: How?\nsubscribers: 5\ntopics: { news: { publish: 10/s } }\nvariants: [sse]\n';
  const parse = (more: string) =>
    parseScenario(base + more, { file: 's.yaml', registry: patterns, overrides: [] }).scenario;
  const refused = (more: string, message: RegExp) =>
    test(String(message), () => assert.throws(() => parse(more), message));
  const one = (more: string) =>
    `search: [{ what: subscribers, from: 10, to: 100, keep: missed == 0${more} }]`;
  test('is described with the most that it takes', () => {
    assert.match(
      describeScenario(parse(one(''))),
      /at most 6 trials: sse\n {2}searches the highest subscribers from 10 to 100 with missed == 0\n {2}at most about/,
    );
  });
  refused('search: [{ what: subscribers, from: 10, to: 5, keep: missed == 0 }]', /to is not above from/);
  refused(
    'search: [{ what: subscribers, from: 10, to: 50/s, keep: missed == 0 }]',
    /another kind of quantity/,
  );
  refused(
    'search: [{ what: subscribers, from: many, to: 50, keep: missed == 0 }]',
    /goes over numbers, rates, sizes or durations/,
  );
  refused(
    'search: [{ what: variants, from: 1, to: 50, keep: missed == 0 }]',
    /the same for all trials of a run/,
  );
  refused(
    'search: [{ what: subscribers, from: 1, to: 50, keep: mised == 0 }]',
    /no metric "mised"; did you mean "missed"/,
  );
  refused(
    'search: [{ what: subscriber, from: 1, to: 50, keep: missed == 0 }]',
    /search\[0\]: with subscriber=1: .*did you mean "subscribers"/,
  );
  refused(`${one('')}\nrepeat: 2`, /a search, or a matrix, or repeats its trials/);
  refused('closedLoop: { for: 500ms }', /whole seconds, at least 1s/);
});
