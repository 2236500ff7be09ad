// Reads the headline of results: who was soonest, what was missed, and what cannot be said.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Completed, Result } from '../../../core/result/result.ts';
import { headlineOf } from '../../../reports/summary/headline.ts';
import { completed, stored, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

const only = (result: Result, ...patterns: string[]): Result => ({
  ...result,
  trials: result.trials.filter(({ variant }) => patterns.includes(variant.pattern)),
});

test('the headline names who was soonest, and by how much the last one was behind', () => {
  const line = headlineOf([fixtureResult()]);
  assert.match(
    line,
    /^With 100 subscribers and 10 events a second, .* fastest, with no measurable difference/,
  );
  assert.match(line, /; polling was slowest \(median \d+ ms, 0\.11 requests per delivery\)\.$/);
});

test('the headline answers with the metrics that the question asks for, alike ones together', () => {
  const asking = (answer: string[], ...patterns: string[]): Result => {
    const result = only(fixtureResult(), ...patterns);
    return { ...result, scenario: { ...result.scenario, answer } };
  };
  const all = ['polling', 'long-polling', 'http-stream', 'sse', 'websocket'];
  assert.equal(
    headlineOf([asking(['descriptors.added', 'requests-per-delivery', 'latency.p50'], ...all)]),
    'With 100 subscribers and 10 events a second, server descriptors for the subscribers, at rest: ' +
      '100 (every variant); requests per delivery: 0 (http-stream, sse and websocket), 0.11 (polling), 1 ' +
      '(long-polling).',
  );
  assert.match(
    headlineOf([asking(['latency.p50'], 'http-stream', 'sse')]),
    /median latency: 1\.\d+ to 1\.\d+ ms \(no measurable difference\)\.$/,
  );
  assert.match(
    headlineOf([asking(['upstream.p50'], ...all)]),
    / fastest/,
    'without such figures the latency is the answer',
  );
  assert.match(
    headlineOf([asking(['missed']), asking(['requests'])]),
    /^In 2 runs .*there is no result: /,
    'nor do different questions have one answer',
  );
  const trouble = fixtureResult({ trouble: true });
  assert.match(
    headlineOf([{ ...trouble, scenario: { ...trouble.scenario, answer: ['descriptors.added'] } }]),
    /subscribers, at rest: 5 \(webhook\), 100 \(polling, sse and websocket\)\. .*Left out of this answer/,
    'of trials that count',
  );
});

test(
  'the headline of several results names a variant once, and ' + 'says whose it is only where that matters',
  () => {
    const line = headlineOf([1, 2, 3].map((seed) => fixtureResult({ seed })));
    assert.match(
      line,
      /^In 3 runs with 100 subscribers and 10 events a second, websocket, http-stream and sse were fastest, with no measurable difference \(/,
    );
    assert.equal(line.split('polling').length, 2);
    assert.ok(line.length < 300, line);
  },
);

test('results of different settings, scenarios or machines are not ranked against one another', () => {
  const [small, large] = [fixtureResult(), fixtureResult({ seed: 2 })];
  const other = { ...large, scenario: { ...large.scenario, subscribers: 2000 } };
  assert.match(
    headlineOf([only(small, 'sse'), only(other, 'polling')]),
    /^2 results of different settings, which are not ranked against one another\. With 100 subscribers and 10 events a second, sse had a median latency of [^;]*\. With 2,000 subscribers and 10 events a second, polling had a median latency of [^;]*\.$/,
  );
  const elsewhere = { ...large, environment: { ...large.environment, cpu: 'Other CPU' } };
  assert.match(
    headlineOf([only(small, 'sse'), only(elsewhere, 'polling')]),
    /^2 results of different machines, .* 10:00:01: With 100 .*sse had .* 10:00:02: With 100 .*polling had/,
  );
  const another = { ...large, scenario: { ...large.scenario, name: 'outage' } };
  const line = headlineOf([only(small, 'sse', 'polling'), only(another, 'websocket', 'polling')]);
  assert.match(line, /^2 results of different scenarios, .* compare: With 100 .* outage: With 100 /);
  assert.equal(line.split(' fastest').length, 3, 'each has its own');
});

test('variants are alike only where what is quoted of them is alike, the tail too', () => {
  const base = only(fixtureResult(), 'sse', 'websocket', 'polling');
  /** 20,000 deliveries, 2 % of them slow. */
  const slowest = (tailUs: number) =>
    stored(...Array.from({ length: 20_000 }, (_, i) => (i < 400 ? tailUs : 1000)));
  const tails: Record<string, number> = { sse: 13_500, websocket: 79_700, polling: 900_000 };
  const with_ = (labels: string[]): Result => ({
    ...base,
    trials: base.trials
      .filter(({ variant }) => labels.includes(variant.label))
      .map((trial) => {
        const { outcome, variant } = trial;
        assert.ok(outcome.status === 'completed');
        if (variant.label === 'polling') return trial;
        return {
          ...trial,
          outcome: { ...outcome, latency: { ...outcome.latency, endToEnd: slowest(tails[variant.label]!) } },
        };
      }),
  });
  const two = headlineOf([with_(['sse', 'websocket'])]);
  assert.doesNotMatch(two, /no measurable difference/);
  assert.match(two, /the variants differed only in the tail \(median /);
  assert.match(two, /99 % within 13\.\d ms with sse and 79\.\d ms with websocket/);
  const three = headlineOf([with_(['sse', 'websocket', 'polling'])]);
  assert.match(three, /sse and websocket were fastest, with no measurable difference at the median \(/);
  assert.match(three, /99 % within 13\.\d ms with sse and 79\.\d ms with websocket/);
});

test('the headline counts what was missed and says why variants do not count', () => {
  const line = headlineOf([fixtureResult({ trouble: true })]);
  assert.match(
    line,
    /webhook missed 12 of 20,000 deliveries\. Latencies of webhook are of the deliveries that arrived, .* Left out of this answer: long-polling \(load limited\); http-stream failed\.$/,
  );
});

test('the headline claims no difference that a single run does not carry', () => {
  assert.match(
    headlineOf([only(fixtureResult(), 'sse', 'http-stream')]),
    /there was no measurable difference between the variants \(median /,
  );
});

test(
  'the headline of deliveries that were made again says what came twice and why, what queued up, how ' +
    'long publishers waited and who kept the order',
  () => {
    const base = fixtureResult();
    const outcome = (ledger: object, more: Partial<Completed> = {}) => {
      const one = completed();
      return completed({
        ledger: { ...one.ledger, missed: 0, duplicated: 3, reordered: 0, ...ledger },
        ...more,
      });
    };
    const wait = (us: number) => ({ latency: { ...completed().latency, publishRoundTrip: stored(us) } });
    const of = (...trials: [label: string, outcome: Completed][]) =>
      headlineOf([{ ...base, trials: trials.map(([label, one]) => trialOf(label, one)) }]);
    const line = of(
      ['webhook store=sqlite', outcome({ reordered: 5 })],
      ['webhook fifo store=sqlite', outcome({})],
    );
    assert.doesNotMatch(line, /store=sqlite/, 'what they share is left out');
    assert.match(
      line,
      /Nothing was lost\. 6 deliveries came twice, each after a lost answer\. Only webhook fifo kept the order\.$/,
    );
    const unexplained = of(['webhook', outcome({ duplicated: 5 })]);
    assert.match(unexplained, /5 deliveries came twice, 2 of them without a lost answer\.$/);
    const lost = of(['webhook', outcome({ missed: 2, duplicated: 0 })]);
    assert.doesNotMatch(lost, /Nothing was lost|came twice/);
    assert.match(
      lost,
      /webhook missed 2 of 13 deliveries\. Latencies are of the deliveries that arrived: lost ones have/,
    );
    const held = of(
      ['webhook delivery=sync', outcome({}, wait(9_000_000))],
      ['webhook store=sqlite', outcome({}, wait(70_000))],
    );
    assert.match(
      held,
      /Publishing took up to 9 s with webhook delivery=sync, up to 70\S* ms with webhook store=sqlite\./,
    );
    assert.doesNotMatch(line, /Publishing took|backlog/);
  },
);

test('the headline says so when nothing can be said', () => {
  const result = fixtureResult();
  assert.match(
    headlineOf([{ ...result, trials: [], state: { kind: 'interrupted', by: 'SIGINT' } }]),
    /there is no result: no trial was measured\. The run was interrupted \(SIGINT\)/,
  );
  const failed = {
    ...result,
    trials: result.trials.map((trial) => ({
      ...trial,
      outcome: { status: 'failed' as const, valid: false as const, code: 'x', message: 'it broke' },
    })),
  };
  assert.match(headlineOf([failed]), /there is no result: .*failed/);
});
