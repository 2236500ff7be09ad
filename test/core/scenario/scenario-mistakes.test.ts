// Makes one mistake in a scenario at a time, and reads how it is shown: with its place, what was given, and
// what may stand there.

import { faults } from '../../../core/fault/faults.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { base, mistakesIn } from '../base/mistakes.ts';

/** Every fault by the word that it is asked for with: those of a moment, or those that last. */
const faultWords = (lasting: boolean) =>
  Object.entries(faults)
    .filter(([, entry]) => 'lasts' in entry === lasting)
    .map(([word]) => `"${word}"`)
    .join(' or ');

describe('a mistake is shown with its place, what was given, and what may stand there', () => {
  const aRate = 'a rate with its unit, such as 200/s, or 6/m each';
  const aDuration = 'a duration with its unit, such as 250ms, 5s or 2m';
  const allPatterns = 'polling, long-polling, http-stream, sse, websocket, webhook';
  const topics = (group: string) => `question: What?\nsubscribers: 10\ntopics:\n  news: ${group}\n`;
  const rows: [reads: string, text: string, mistakes: string[]][] = [
    ['an unknown key', `${base}repet: 3`, ['4:1: repet: unknown key; did you mean "repeat"?']],
    [
      'an unknown key that is near none',
      `${base}x: 3`,
      [
        '4:1: x: unknown key; possible here: question, notice, answer, seed, subscribers, topics, ' +
          'payload, phases, variants, repeat, loadProcesses, servers, network, server, reconnect, faults, ' +
          'matrix, search, closedLoop, curves, axis, browser, endpoints, expect, gate',
      ],
    ],
    [
      'a misspelt key is not missing as well',
      base.replace('subscribers', 'subscribrs'),
      ['2:1: subscribrs: unknown key; did you mean "subscribers"?'],
    ],
    [
      'a missing key',
      base.replace('subscribers: 10\n', ''),
      ['1:1: "subscribers" is missing: expected a whole number'],
    ],
    [
      'a missing key further in',
      topics('{ count: 3 }'),
      [
        '4:3: topics.news: "publish" is missing: expected a rate such as 200/s, or 6/m each, ' +
          'or one of constant, poisson, stages, bursts, trace',
      ],
    ],
    [
      'a number without its unit',
      `${base}phases: { measure: 5 }`,
      [`4:20: phases.measure: expected ${aDuration}; got 5`],
    ],
    [
      'text without its unit',
      `${base}phases: { measure: "5" }`,
      [`4:20: phases.measure: expected ${aDuration}; got "5"`],
    ],
    [
      'a rate without its unit, where a map could stand too',
      topics('{ publish: 5 }'),
      [`4:20: topics.news.publish: expected ${aRate}; got 5`],
    ],
    [
      'a rate of another unit',
      topics('{ publish: fast }'),
      [`4:20: topics.news.publish: expected ${aRate}; got "fast"`],
    ],
    [
      'nothing where a rate should stand',
      topics('{ publish: }'),
      [`4:11: topics.news.publish: expected ${aRate}; got nothing`],
    ],
    [
      'a mistake in the branch that was meant',
      topics('{ publish: { poisson: 5 } }'),
      [`4:31: topics.news.publish.poisson: expected ${aRate}; got 5`],
    ],
    [
      'a misspelt branch',
      topics('{ publish: { poison: 5/s } }'),
      ['4:22: topics.news.publish.poison: unknown key; did you mean "poisson"?'],
    ],
    [
      'a branch that there is not',
      topics('{ publish: { often: true } }'),
      [
        '4:20: topics.news.publish: expected a rate such as 200/s, or 6/m each, or one of ' +
          'constant, poisson, stages, bursts, trace; got {"often":true}',
      ],
    ],
    [
      'mistakes deep in a branch',
      topics('{ publish: { bursts: { sze: 1, every: 5 } } }'),
      [
        '4:32: topics.news.publish.bursts.sze: unknown key; did you mean "size"?',
        `4:47: topics.news.publish.bursts.every: expected ${aDuration}; got 5`,
      ],
    ],
    [
      'a list where a map should stand',
      topics('[publish]'),
      ['4:9: topics.news: expected a map with the keys publish, by, count, follow, payload; got ["publish"]'],
    ],
    [
      'a topic without a proper name',
      base.replace('news:', 'my news:'),
      ['3:11: topics.my news: a topic has a name of 1 to 128 letters, digits and . _ : ~ -'],
    ],
    [
      'no topics',
      base.replace('{ news: { publish: 5/s } }', '{}'),
      ['3:9: topics: a scenario has at least one topic'],
    ],
    [
      'a misspelt word',
      topics('{ publish: 5/s, count: per-subscribers }'),
      [
        '4:32: topics.news.count: expected a whole number, or "per-subscriber"; got "per-subscribers"; ' +
          'did you mean "per-subscriber"?',
      ],
    ],
    ['a number too small', `${base}repeat: 0`, ['4:9: repeat: expected a number of at least 1; got 0']],
    [
      'a number too large',
      `${base}repeat: 1001`,
      ['4:9: repeat: expected a number of at most 1000; got 1001'],
    ],
    ['a fraction', `${base}repeat: 1.5`, ['4:9: repeat: expected a whole number; got 1.5']],
    ['true for a number', `${base}repeat: true`, ['4:9: repeat: expected a whole number; got true']],
    ['an empty question', base.replace('What?', '""'), ['1:11: question: expected some text; got nothing']],
    [
      'a pattern that there is not',
      `${base}variants: [poling]`,
      [`4:12: variants[0]: expected one of ${allPatterns}; got "poling"; did you mean "polling"?`],
    ],
    [
      'a number for a pattern',
      `${base}variants: [5]`,
      [`4:12: variants[0]: expected one of ${allPatterns}; got 5`],
    ],
    ['no variants', `${base}variants: []`, ['4:11: variants: expected a list of at least 1; got []']],
    [
      'an option that the pattern does not have',
      `${base}variants: [{ sse: { ovr: h2 } }]`,
      ['4:21: variants[0].sse.ovr: unknown key; did you mean "over"?'],
    ],
    [
      'a misspelt pattern with options',
      `${base}variants: [{ ses: { over: h2 } }]`,
      ['4:14: variants[0].ses: unknown key; did you mean "sse"?'],
    ],
    [
      'an option with a wrong value',
      `${base}variants: [{ sse: { over: h4 } }]`,
      ['4:27: variants[0].sse.over: expected one of h1, h2, h2c; got "h4"'],
    ],
    [
      'an option that is true or false',
      `${base}variants: [{ websocket: { deflate: "on" } }]`,
      ['4:36: variants[0].websocket.deflate: expected true or false; got "on"'],
    ],
    [
      'a pattern without its options',
      `${base}variants:\n  - sse:`,
      ['5:5: variants[0].sse: expected a map with the keys over, gzip, heartbeat, retry; got nothing'],
    ],
    [
      'two patterns in one entry',
      `${base}variants: [{ sse: {}, websocket: {} }]`,
      [
        '4:12: variants[0]: a variant is one pattern with its options, such as "sse: { over: h2 }", ' +
          'and "as" beside it for its name; write one entry for each',
      ],
    ],
    [
      'a variant twice',
      `${base}variants: [sse, websocket, { sse: { over: h1 } }]`,
      ['4:28: variants[2]: "sse" is the same variant as variants[0]; for more trials of each, set repeat'],
    ],
    [
      'an interval of nothing',
      `${base}variants: [{ polling: { every: 0s } }]`,
      ['4:32: variants[0].polling.every: less than 1ms is not possible: timers count in milliseconds'],
    ],
    [
      'a duration longer than a timer holds',
      `${base}phases: { measure: 25d }`,
      ['4:20: phases.measure: more than 24d is not possible'],
    ],
    [
      'a measured phase shorter than a slot',
      `${base}phases: { measure: 900ms }`,
      ['4:20: phases.measure: less than 1s is not possible: no slot of the time series would be full'],
    ],
    [
      'more than all of it',
      `${base}faults: [{ at: 1s, disconnect: 150% }]`,
      ['4:32: faults[0].disconnect: more than 100% is not possible'],
    ],
    [
      'a freeze without a length',
      `${base}faults: [{ at: 1s, freeze: server }]`,
      [`4:10: faults[0]: "for" is missing: expected ${aDuration}`],
    ],
    [
      'a fault that is neither',
      `${base}faults: [{ at: 1s }]`,
      [
        `4:10: faults[0]: expected "at" with ${faultWords(false)}, or with ${faultWords(true)} and "for"; ` +
          'got {"at":"1s"}',
      ],
    ],
    [
      'a misspelt fault',
      `${base}faults: [{ at: 1, disconect: 5% }]`,
      [
        `4:16: faults[0].at: expected ${aDuration}; got 1`,
        '4:19: faults[0].disconect: unknown key; did you mean "disconnect"?',
      ],
    ],
    ['a body of nothing', `${base}payload: 0B`, ['4:10: payload: a body has 1 B to 8 MiB']],
    [
      'a size of another unit',
      `${base}payload: 1KB`,
      ['4:10: payload: expected a size with its unit, such as 256B, 4kB or 1KiB; got "1KB"'],
    ],
    [
      'no wait as long as the first',
      `${base}reconnect: { base: 5s, cap: 1s }`,
      ['4:29: reconnect.cap: cap is shorter than base, so no wait could be as long as base asks'],
    ],
    [
      'an expectation of no metric',
      `${base}expect: [latency.p98 < 5ms]`,
      ['4:10: expect[0]: there is no metric "latency.p98"; did you mean "latency.p90"?'],
    ],
    [
      'a wrong expectation for some',
      `${base}expect: [{ check: missed == 0s, for: [sse] }]`,
      ['4:19: expect[0].check: the bound of missed is a plain number, such as 0, and not "0s"'],
    ],
    [
      'an expectation under a wrong key',
      `${base}expect: [{ chek: missed == 0 }]`,
      ['4:12: expect[0].chek: unknown key; did you mean "check"?'],
    ],
    [
      'an expectation of a pattern that is not there',
      `${base}variants: [sse]\nexpect: [{ check: missed == 0, for: [sse, webhook] }]`,
      ['5:43: expect[0].for[1]: no variant "webhook" is in this scenario; there are sse'],
    ],
    [
      'an expectation of a misspelt variant',
      `${base}variants: [{ sse: { over: h2 } }]\nexpect: [{ check: missed == 0, for: [sse h3] }]`,
      ['5:38: expect[0].for[0]: no variant "sse h3" is in this scenario; did you mean "sse h2"?'],
    ],
    [
      'a long value is cut short',
      `${base}repeat: ${'x'.repeat(100)}`,
      [`4:9: repeat: expected a whole number; got "${'x'.repeat(56)}...`],
    ],
    [
      'nothing at all',
      '',
      [
        '1:1: expected a map with the keys question, notice, answer, seed, subscribers, topics, payload, ' +
          'phases, variants, repeat, loadProcesses, servers, network, server, reconnect, faults, matrix, ' +
          'search, closedLoop, curves, axis, browser, endpoints, expect, gate; got nothing',
      ],
    ],
    [
      'a list',
      '[]',
      [
        '1:1: this is not a scenario: expected a map with the keys question, notice, answer, seed, ' +
          'subscribers, topics, payload, phases, variants, repeat, loadProcesses, servers, network, ' +
          'server, reconnect, faults, matrix, search, closedLoop, curves, axis, browser, endpoints, ' +
          'expect, gate; got a list',
      ],
    ],
  ];
  for (const [reads, text, mistakes] of rows) test(reads, () => assert.deepEqual(mistakesIn(text), mistakes));
});
