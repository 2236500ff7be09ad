// Answers by the metrics that a question names: which of them, and which variants stand together.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { answerClauses, askedBy } from '../../../reports/summary/answer.ts';
import { headlinesOf } from '../../../reports/summary/headline.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { resultOf, shaped } from './shaped.ts';

const asking = (...answer: string[]) => resultOf([shaped('sse'), shaped('polling')], { answer });

test('all results have to ask for the same, and what this version does not know is left out', () => {
  assert.deepEqual(askedBy([asking('missed', 'no-such-metric', 'toString')]), ['missed']);
  assert.deepEqual(askedBy([asking('missed'), asking('missed')]), ['missed']);
  assert.deepEqual(askedBy([asking('missed'), asking('missed'), asking('requests')]), []);
});

test('the first two metrics are answered', () => {
  const result = asking('missed', 'duplicated', 'reordered');
  assert.deepEqual(answerClauses([result], variantsOf([result])), [
    'nothing was lost with any variant',
    'nothing came twice',
  ]);
});

test('what no variant has a figure of is told in a sentence, not in a row of dashes', async () => {
  const page = await renderHtml([asking('missed', 'offline.p50')], { interactive: false });
  assert.match(page, /<p class="dim">No figure for median time away: no subscriber was away\.<\/p>/);
  assert.doesNotMatch(page, /<th scope="col">median time away</);
});

test('cells of one variant are called by their values, and the setting says the variant', () => {
  const cell = (requests: number, parameters: Record<string, string>, variant = 'websocket') => ({
    ...shaped(`${variant}, ${Object.values(parameters).join()}`, { requests }),
    cell: { variant, parameters, subscribers: 1, events: 1, deliveries: 1 },
  });
  const answer = (...trials: Result['trials']) =>
    headlinesOf([resultOf(trials, { answer: ['requests-per-delivery'] })]).answer;
  assert.match(
    answer(
      cell(1, { reconnect: 'phoenix', 'phases.drain': '5s' }),
      cell(3, { reconnect: 'patient', 'phases.drain': '5s' }),
    ),
    / a second by websocket, requests per delivery: 1 \(phoenix \/ drain=5s\), 3 \(patient \/ drain=5s\)\.$/,
  );
  assert.match(
    answer(cell(1, { reconnect: 'phoenix' }), cell(3, { reconnect: 'phoenix' }, 'sse')),
    / a second, requests per delivery: 1 \(websocket, phoenix\), 3 \(sse, phoenix\)\.$/,
  );
});

/** The clause on requests per delivery, for variants that have so many. */
function clause(...requests: [label: string, requests: number | undefined][]): string | undefined {
  const trials = requests.map(([label, each]) =>
    each === undefined
      ? shaped(label, { voids: { 'load-limited': ['requests'] } })
      : shaped(label, { requests: each }),
  );
  const result = resultOf(trials, { answer: ['requests-per-delivery'] });
  return answerClauses([result], variantsOf([result]))[0]?.replace('requests per delivery: ', '');
}

test('variants stand together that are alike to the lowest of them, from the lowest on', () => {
  // 1.2 is alike to 1, and 1.45 to 1.2 but not to 1.
  assert.equal(clause(['c', 1.45], ['b', 1.2], ['a', 1]), '1 to 1.2 (a and b), 1.45 (c)');
});

test('variants of a matrix stand together by their cells', () => {
  const trial = (variant: string, held: string, each: number): Result['trials'][number] => ({
    ...shaped(`${variant}, held=${held}`, { requests: each }),
    cell: { variant, parameters: { held }, subscribers: 10, events: 40, deliveries: 400 },
  });
  const trials = [trial('sse', 'no', 1), trial('websocket', 'no', 1), trial('sse', 'yes', 9)];
  const result = resultOf([...trials, trial('websocket', 'yes', 1)], { answer: ['requests-per-delivery'] });
  assert.deepEqual(answerClauses([result], variantsOf([result])), [
    'requests per delivery: 1 (sse and websocket at held=no; websocket at held=yes), 9 (sse at held=yes)',
  ]);
});

test('all are alike only where each variant has a figure, and there are several', () => {
  assert.equal(clause(['a', 1], ['b', 1]), '1 (every variant)');
  assert.equal(clause(['a', 1], ['b', 1], ['c', undefined]), '1 (a and b)');
  assert.equal(clause(['a', 1]), '1 (a)');
  assert.equal(clause(['a', 1], ['b', 1], ['c', 3]), '1 (a and b), 3 (c)');
  assert.equal(clause(['a', undefined]), undefined);
});

test('of many variants the lowest and the highest are named', () => {
  const many = [3, 1, 7, 5, 4, 6, 2].map((n): [string, number] => [`v${n}`, n]);
  assert.equal(clause(...many), 'from 1 (v1) to 7 (v7)');
  assert.equal(clause(...many.map(([label]): [string, number] => [label, 1])), '1 (every variant)');
});

describe('what was lost and how late the last delivery came is said in words', () => {
  const label = (retries: string) => `webhook retries=${retries} timeScale=3600`;
  const scaled = (retries: string, lastUs: number, missed = 0, timeScale = 3600) => {
    const trial = shaped(label(retries), { p50Us: lastUs, ledger: { missed } });
    return { ...trial, variant: { ...trial.variant, as: retries, options: { retries, timeScale } } };
  };
  const answer = (...trials: Result['trials']) =>
    headlinesOf([resultOf(trials, { answer: ['missed', 'latency.max'] })]).answer;

  test("without the setting, and in the schedule's own time", () => {
    assert.equal(
      answer(scaled('Svix', 8_360_000), scaled('Stripe', 8_670_000)),
      'Nothing was lost with any schedule; the last delivery came 8.4 to 8.7 h late.',
    );
    assert.equal(
      answer(scaled('Svix', 8_360_000, 0, 1), scaled('Stripe', 20_000_000, 0, 1)),
      'Nothing was lost with any schedule; the last delivery came 8.36 s late with Svix, 20 s late with ' +
        'Stripe.',
    );
  });
  test('with who lost how much', () => {
    assert.equal(
      answer(scaled('Svix', 8_000_000), scaled('Slack', 8_000_000, 3)),
      'Slack lost 3 of 13 deliveries; nothing was lost with Svix; the last delivery came 8 h late with ' +
        'Svix.',
      'of Slack the last ones did not come',
    );
  });
});

describe('what was lost in a matrix', () => {
  const cell = (
    variant: string,
    broker: string,
    front: string,
    missed: number,
  ): Result['trials'][number] => ({
    ...shaped(`${variant}, broker=${broker}, front=${front}`, { ledger: { missed } }),
    cell: { variant, parameters: { broker, front }, subscribers: 10, events: 40, deliveries: 400 },
  });
  const brokers = ['none', 'nats', 'redis'];
  const matrix = (missed: (broker: string, front: string, variant: string) => number) =>
    brokers.flatMap((broker) =>
      ['list', 'haproxy'].flatMap((front) =>
        ['sse', 'websocket'].map((one) => cell(one, broker, front, missed(broker, front, one))),
      ),
    );
  const said = (trials: Result['trials']) => {
    const result = resultOf(trials, { answer: ['missed'] });
    return answerClauses([result], variantsOf([result]))[0];
  };

  test('is told by the parameter that decides it', () => {
    assert.equal(
      said(matrix((broker) => (broker === 'none' ? 12 : 0))),
      'with broker=none 12 of 13 deliveries were lost in every cell; with any other broker none',
    );
    assert.equal(
      said(matrix((broker, front) => (broker === 'nats' ? 0 : front === 'list' ? 3 : 4))),
      'with broker=nats nothing was lost; with any other broker 3 to 4 of 13 deliveries were lost in ' +
        'every cell',
    );
    assert.equal(
      said(matrix((_broker, _front, variant) => (variant === 'sse' ? 1 : 0))),
      'with sse 1 of 13 deliveries was lost in every cell; with websocket none',
    );
  });

  test('is counted where none decides it and cells are many', () => {
    const least = said(matrix((broker, front) => (front === 'list' && broker === 'none' ? 0 : 2)));
    assert.match(least!, /^10 of 12 lost deliveries, from least to most: .* lost 2 of 13 deliveries to /);
    assert.match(least!, /; nothing was lost with sse and websocket at broker=none, front=list$/);
    assert.match(
      said(matrix((broker, front, variant) => (broker + front + variant === 'nonelistsse' ? 2 : 0)))!,
      /^sse, broker=none, front=list lost 2 of 13 deliveries; nothing was lost with the other 11$/,
    );
  });

  test('is seen at a glance in a table for each metric, the largest parameter down', async () => {
    const result = resultOf(
      matrix((broker) => (broker === 'none' ? 12 : 0)),
      { answer: ['missed', 'latency.p50'] },
    );
    const page = await renderHtml([result], { interactive: false });
    const [grid] = page.match(/<caption>\s*<span>missed, by broker and front and variant.*?<\/table>/s) ?? [];
    const rows = [...grid!.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
      [...row!.matchAll(/<t[hd][^>]*>(?:<span class="(?:bad|good)">)?\s*([^<]*)/g)].map(([, text]) =>
        text!.trim(),
      ),
    );
    assert.deepEqual(rows, [
      ['broker', 'list, sse', 'list, websocket', 'haproxy, sse', 'haproxy, websocket'],
      ['none', '12', '12', '12', '12'],
      ['nats', '0', '0', '0', '0'],
      ['redis', '0', '0', '0', '0'],
    ]);
    assert.match(page, /<small>of deliveries that arrived<\/small>/);
  });
});
