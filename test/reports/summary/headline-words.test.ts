// Reads every form of the headline's sentence, over variants whose figures are chosen for it.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { headlinesOf } from '../../../reports/summary/headline.ts';
import { failed, resultOf, shaped } from './shaped.ts';

const setting = 'With 100 subscribers and 10 events a second, ';
/** What is said of one result after its setting. */
function saidOf(...trials: Result['trials']): string {
  const { answer } = headlinesOf([resultOf(trials)]);
  assert.ok(answer.startsWith(setting), answer);
  return answer.slice(setting.length);
}

const sse = shaped('sse', { p50Us: 10_000, p99Us: 20_000 });

describe('who was fastest', () => {
  test('medians are alike below a quarter, whatever the order of the variants', () => {
    assert.equal(
      saidOf(shaped('websocket', { p50Us: 12_400 }), sse),
      'there was no measurable difference between the variants (median 10 to 12.4 ms).',
      'a tail is quoted only where all of them have one',
    );
    assert.match(saidOf(shaped('websocket', { p50Us: 12_600 }), sse), /^sse was fastest \(median/);
  });

  test('of tails that are alike the longest is quoted', () => {
    const websocket = shaped('websocket', { p50Us: 11_000, p99Us: 22_000 });
    assert.equal(
      saidOf(sse, websocket),
      'there was no measurable difference between the variants (median 10 to 11 ms, 99 % within 22 ms).',
    );
    assert.equal(
      saidOf(sse, websocket, failed('polling')),
      'sse and websocket were fastest, with no measurable difference (median 10 to 11 ms, ' +
        '99 % within 22 ms).',
      'two of three are not all',
    );
    assert.equal(saidOf(sse, failed('polling')), 'sse had a median latency of 10 ms, 99 % within 20 ms.');
  });

  test('another variant with the shorter tail is named, the shortest of several', () => {
    const longPolling = shaped('long-polling', { p50Us: 105_000, p99Us: 120_000, requests: 1 });
    assert.equal(
      saidOf(
        shaped('sse', { p50Us: 10_000, p99Us: 200_000 }),
        shaped('polling', { p50Us: 100_000, p99Us: 150_000, requests: 0.5 }),
        longPolling,
      ),
      'sse was fastest at the median (median 10 ms, 99 % within 200 ms; long-polling had 99 % within ' +
        '120 ms); long-polling was slowest (median 105 ms, 1 request per delivery).',
    );
    // 120 and 140 ms are told apart by no run.
    assert.equal(
      saidOf(shaped('sse', { p50Us: 10_000, p99Us: 140_000 }), longPolling),
      'sse was fastest (median 10 ms, 99 % within 140 ms); long-polling was slowest (median 105 ms, ' +
        '1 request per delivery).',
    );
    const two = saidOf(sse, shaped('websocket', { p50Us: 11_000, p99Us: 200_000 }), longPolling);
    assert.match(
      two,
      /^sse and websocket were fastest, with no measurable difference at the median \(10 to 11 ms, /,
    );
    assert.match(two, /; long-polling had 99 % within 120 ms\); /, 'not one of the soonest');
    assert.match(
      saidOf(
        shaped('sse', { p50Us: 10_000, p99Us: 200_000 }),
        shaped('websocket', { p50Us: 11_000, p99Us: 200_000 }),
        longPolling,
      ),
      /^sse and websocket were fastest, with no measurable difference at the median \(.*, 99 % within 200 ms; long-/,
    );
  });
});

describe('who was slowest', () => {
  const asked = (requests: number) => saidOf(sse, shaped('polling', { p50Us: 200_000, requests }));
  test('with its requests, where it makes any', () => {
    assert.match(asked(0.5), /; polling was slowest \(median 200 ms, 0\.5 requests per delivery\)\.$/);
    assert.match(asked(0), /; polling was slowest \(median 200 ms\)\.$/);
  });

  test('in several runs is that variant alone, and only the runs in which it took as long', () => {
    const run = (pollingUs: number, seed: number) => ({
      ...resultOf([sse, shaped('polling', { p50Us: pollingUs }), shaped('long-polling', { p50Us: 280_000 })]),
      createdAt: `2026-01-02T10:00:0${seed}.000Z`,
    });
    const longest = (...us: [number, number]) =>
      headlinesOf([run(us[0], 1), run(us[1], 2)]).answer.replace(/.*; /, '');
    assert.equal(longest(300_000, 310_000), 'polling was slowest (median 300 to 310 ms).');
    assert.equal(longest(100_000, 310_000), 'polling (10:00:02) was slowest (median 310 ms).');
  });
});

test('six names are listed, of seven the first four', () => {
  const slow = shaped('slow', { p50Us: 1_000_000 });
  const these = (names: string) => names.split('').map((label) => shaped(label));
  assert.match(saidOf(...these('abcdef'), slow), /^a, b, c, d, e and f were fastest/);
  assert.match(saidOf(...these('abcdefg'), slow), /^a, b, c, d and 3 others were fastest/);
});

test('options that all variants share are left out where there are several', () => {
  assert.match(
    saidOf(shaped('webhook a=1 b=1'), shaped('webhook a=1 b=2', { p50Us: 90_000 })),
    /^webhook b=1 was fastest .*; webhook b=2 was slowest/,
  );
  assert.match(
    saidOf(shaped('webhook a=1 b=2'), shaped('sse a=1', { p50Us: 90_000 })),
    /^webhook b=2 was fastest .*; sse was slowest/,
  );
  assert.match(saidOf(shaped('webhook a=1')), /^webhook a=1 had/);
});

describe('where no variant has a median', () => {
  const late = shaped('sse', { voids: { 'publisher-late': ['latency'] } });
  const silent = shaped('polling', { delivered: false });
  test('it is said why: of each variant, or that nothing was delivered', () => {
    const nothing = 'there is no median latency: ';
    assert.equal(saidOf(late), `${nothing}sse (publisher late).`);
    const both = { voids: { 'publisher-late': ['latency' as const] }, delivered: false };
    assert.equal(saidOf(late, shaped('sse', both, 2)), `${nothing}sse (publisher late).`);
    assert.equal(saidOf(silent), `${nothing}no event was delivered.`);
    assert.match(saidOf(late, silent), /: sse \(publisher late\); polling \(/);
    assert.match(saidOf(silent, failed('sse')), /: polling \(.*; sse failed\.$/);
  });
});

describe('results that are not ranked', () => {
  const sizes = (...all: number[]) => all.map((subscribers) => resultOf([sse], { subscribers }));
  test('up to four answers stand in a row, and each remark says whose it is', () => {
    const four = sizes(100, 200, 300, 400);
    four[1] = { ...four[1]!, trials: [shaped('sse', { ledger: { missed: 3 } })] };
    const { answer, remarks } = headlinesOf(four);
    assert.match(
      answer,
      /^4 results of different settings, which are not ranked against one another\. With /,
    );
    assert.equal(answer.split('sse had a median').length, 5);
    assert.deepEqual(remarks, [
      '200 subscribers: sse missed 3 of 13 deliveries.',
      '200 subscribers: Latencies are of the deliveries that arrived: lost ones have none.',
    ]);
  });
  test('of five the figures are in the table, and what was cut short is said', () => {
    const five = sizes(100, 200, 300, 400, 500);
    five[4] = { ...five[4]!, state: { kind: 'interrupted', by: 'SIGINT' } };
    assert.deepEqual(headlinesOf(five), {
      answer:
        '5 results of different settings, which are not ranked against one another: the table has their ' +
        'figures.',
      remarks: ['500 subscribers: The run was interrupted (SIGINT) before its end.'],
    });
  });
});

describe('a variant is left out only of what is asked', () => {
  const late = (label: string) => shaped(label, { voids: { 'publisher-late': ['latency'] } });
  const remarks = (answer: string[]) =>
    headlinesOf([resultOf([late('sse'), shaped('polling')], { answer })]).remarks;
  test('in an answer by metrics', () => {
    assert.deepEqual(remarks(['requests-per-delivery']), []);
    assert.deepEqual(remarks(['latency.p50']), ['Left out of this answer: sse (publisher late).']);
  });
  test('in an answer by curves', () => {
    const cells = ['1/s', '10/s'].map((publish) => ({
      ...late(`sse, publish=${publish}`),
      cell: { variant: 'sse', parameters: { publish }, subscribers: 10, events: 40, deliveries: 400 },
    }));
    assert.deepEqual(headlinesOf([resultOf(cells, { curves: ['requests-per-delivery'] })]).remarks, []);
  });
});
