// Scenario files: what may stand in one, and how each mistake is shown with its place.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { describeScenario } from '../../../core/scenario/scenario-file.ts';
import { withFake } from '../../fake/pattern.ts';
import { base, mistakesIn, read } from '../base/mistakes.ts';

const defaultCurves = [
  'latency.p50',
  'server-cpu-per-delivery',
  'bytes-per-delivery',
  'requests-per-delivery',
];

describe('a scenario', () => {
  test('with everything in it is resolved into plain numbers', () => {
    const { scenario, source } = read(`
question: Everything?
notice: [this, that]
seed: 7
subscribers: 20
topics:
  a: { publish: 6/m, count: per-subscriber, payload: 1KiB }
  b: { publish: { constant: 2/s }, count: 5, follow: 3 }
  c: { publish: { poisson: 1/ms } }
  d: { publish: { stages: [{ rate: 1/s, to: 5/s, for: 2s }, { rate: 5/s, for: 1m }] } }
  e: { publish: { bursts: { size: 10, every: 500ms } } }
  f.g: { publish: { trace: day.csv }, payload: { from: bodies.json } }
payload: { from: '@octokit/webhooks-examples' }
phases: { connect: 2s, warmup: 250ms, measure: 1m, drain: 10s }
variants: [polling, { sse: { over: h2 } }, { websocket: {} }]
repeat: 3
loadProcesses: 2
server: { history: 5, historySize: 1MiB, maxSubscribers: 30, maxTopics: 50, maxBody: 2kB,
  slowBuffer: 10kB, slow: drop }
reconnect: { base: 50ms, cap: 1s }
faults: [{ at: 1s, disconnect: 50% }, { at: 2s, freeze: server, for: 1500ms }]
expect: [missed == 0, { check: latency.p99 < 1s, for: [sse h2] }]
`);
    assert.deepEqual(scenario, {
      name: 'quick',
      question: 'Everything?',
      notice: ['this', 'that'],
      seed: 7,
      subscribers: 20,
      topics: {
        a: {
          publish: { kind: 'constant', perS: 0.1 },
          by: 'publisher',
          count: 'per-subscriber',
          follow: 1,
          payload: { kind: 'size', sizeBytes: 1024 },
        },
        b: { publish: { kind: 'constant', perS: 2 }, by: 'publisher', count: 5, follow: 3 },
        c: { publish: { kind: 'poisson', perS: 1000 }, by: 'publisher', count: 1, follow: 1 },
        d: {
          publish: {
            kind: 'stages',
            stages: [
              { rate: 1, to: 5, for: 2000 },
              { rate: 5, for: 60_000 },
            ],
          },
          by: 'publisher',
          count: 1,
          follow: 1,
        },
        e: { publish: { kind: 'bursts', size: 10, everyMs: 500 }, by: 'publisher', count: 1, follow: 1 },
        'f.g': {
          publish: { kind: 'trace', file: 'day.csv' },
          by: 'publisher',
          count: 1,
          follow: 1,
          payload: { kind: 'corpus', from: 'bodies.json' },
        },
      },
      payload: { kind: 'corpus', from: '@octokit/webhooks-examples' },
      phases: { connect: 2000, warmup: 250, measure: 60_000, drain: 10_000 },
      variants: [
        variantOf(patterns, 'polling'),
        variantOf(patterns, 'sse', { over: 'h2', gzip: false, heartbeat: 15_000, retry: 1000 }),
        variantOf(patterns, 'websocket'),
      ],
      repeat: 3,
      loadProcesses: 2,
      server: {
        history: 5,
        historySize: 1_048_576,
        maxSubscribers: 30,
        maxTopics: 50,
        maxBody: 2000,
        slowBuffer: 10_000,
        slow: 'drop',
      },
      reconnect: { base: 50, cap: 1000 },
      faults: [
        { kind: 'disconnect', atMs: 1000, share: 0.5 },
        { kind: 'freeze', atMs: 2000, who: 'server', forMs: 1500 },
      ],
      expect: [
        { check: 'missed == 0', for: undefined, where: undefined },
        { check: 'latency.p99 < 1s', for: ['sse h2'] },
      ],
      answer: [],
      matrix: {},
      search: [],
      curves: defaultCurves,
      endpoints: [],
      cells: [],
    });
    assert.match(source, /^\nquestion: Everything\?/);
  });

  test('with the least in it has defaults for the rest', () => {
    const { scenario } = read(base);
    assert.deepEqual(scenario, {
      name: 'quick',
      question: 'What?',
      notice: [],
      seed: 1,
      subscribers: 10,
      topics: { news: { publish: { kind: 'constant', perS: 5 }, by: 'publisher', count: 1, follow: 1 } },
      payload: { kind: 'size', sizeBytes: 256 },
      phases: { connect: 1000, warmup: 1000, measure: 8000, drain: 5000 },
      variants: Object.keys(patterns).map((name) => variantOf(patterns, name)),
      repeat: 1,
      server: {
        history: 1000,
        historySize: 64 * 2 ** 20,
        maxSubscribers: 100_000,
        maxTopics: 200_000,
        maxBody: 2 ** 20,
        slowBuffer: 2 ** 20,
        slow: 'disconnect',
      },
      reconnect: { base: 100, cap: 5000 },
      faults: [],
      answer: [],
      matrix: {},
      search: [],
      curves: defaultCurves,
      endpoints: [],
      expect: [],
      cells: [],
    });
  });

  test('may name patterns that another registry adds, and only there', () => {
    const yaml = `${base}variants: [{ fake: { latencies: [1ms] } }, sse]`;
    assert.deepEqual(
      read(yaml, [], withFake).scenario.variants.map(({ label }) => label),
      ['fake latencies=1ms', 'sse'],
    );
    assert.match(
      mistakesIn(yaml)[0]!,
      /^4:14: variants\[0\]\.fake: unknown key; here may stand polling, long-polling/,
    );
  });

  test('may repeat itself by anchors and aliases', () => {
    const { scenario } = read(
      'question: What?\nsubscribers: 1\ntopics: { a: &a { publish: 5/s, follow: 1 }, b: *a }\n',
    );
    assert.deepEqual(scenario.topics['a'], scenario.topics['b']);
  });
});

describe('a mistake is shown with its place, what was given, and what may stand there', () => {
  const aRate = 'a rate with its unit, such as 200/s or 6/m';
  const aDuration = 'a duration with its unit, such as 250ms, 5s or 2m';
  const allPatterns = 'polling, long-polling, http-stream, sse, websocket, webhook';
  const topics = (group: string) => `question: What?\nsubscribers: 10\ntopics:\n  news: ${group}\n`;
  const rows: [reads: string, text: string, mistakes: string[]][] = [
    ['an unknown key', `${base}repet: 3`, ['4:1: repet: unknown key; did you mean "repeat"?']],
    [
      'an unknown key that is near none',
      `${base}x: 3`,
      [
        '4:1: x: unknown key; here may stand question, notice, answer, seed, subscribers, topics, ' +
          'payload, phases, variants, repeat, loadProcesses, server, reconnect, faults, matrix, search, ' +
          'closedLoop, curves, axis, browser, endpoints, expect, gate',
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
        '4:3: topics.news: "publish" is missing: expected a rate such as 200/s, or one of constant, ' +
          'poisson, stages, bursts, trace',
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
        '4:20: topics.news.publish: expected a rate such as 200/s, or one of constant, poisson, stages, ' +
          'bursts, trace; got {"often":true}',
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
        '4:12: variants[0]: a variant is one pattern with its options, such as "sse: { over: h2 }"; ' +
          'write one entry for each',
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
        '4:10: faults[0]: expected "at" with "disconnect", or with ' +
          '"freeze" or "leave" and "for"; got {"at":"1s"}',
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
          'phases, variants, repeat, loadProcesses, server, reconnect, faults, matrix, search, closedLoop, ' +
          'curves, axis, browser, endpoints, expect, gate; got nothing',
      ],
    ],
    [
      'a list',
      '[]',
      [
        '1:1: this is no scenario: expected a map with the keys question, notice, answer, seed, ' +
          'subscribers, topics, payload, phases, variants, repeat, loadProcesses, server, reconnect, ' +
          'faults, matrix, search, closedLoop, curves, axis, browser, endpoints, expect, gate; got a list',
      ],
    ],
  ];
  for (const [reads, text, mistakes] of rows) test(reads, () => assert.deepEqual(mistakesIn(text), mistakes));
});

describe('all mistakes come at once', () => {
  test('from top to bottom, wrong values and impossible combinations together', () => {
    assert.deepEqual(
      mistakesIn(`question: What?
subscribers: none
topics:
  news: { publish: 5, follow: 2 }
  mail: { publish: 5/s, follow: 3 }
faults:
  - { at: nope, disconnect: 5% }
  - { at: 9s, disconnect: 5% }
variants: [sse, { sse: { retri: 1s } }, sse]
expect: [missed = 0, latency.p99 < 5]
`),
      [
        '2:14: subscribers: expected a whole number; got "none"',
        '4:20: topics.news.publish: expected a rate with its unit, such as 200/s or 6/m; got 5',
        '5:33: topics.mail.follow: a subscriber cannot follow 3 topics ' +
          'where the group has one topic; set count too',
        '7:11: faults[0].at: expected a duration with its unit, such as 250ms, 5s or 2m; got "nope"',
        '8:11: faults[1].at: the measured phase is over after 8s, so nothing would go wrong at 9s',
        '9:26: variants[1].sse.retri: unknown key; did you mean "retry"?',
        '9:41: variants[2]: "sse" is the same variant as variants[0]; for more trials of each, set repeat',
        '10:10: expect[0]: "=" is no comparison: write "METRIC < BOUND" (or <=, ' +
          '>, >=, ==) or "METRIC within 10% of VALUE"',
        '10:22: expect[1]: the bound of latency.p99 is a duration with its unit, such as 250ms, and not "5"',
      ],
    );
  });

  test('but no more than can be read', () => {
    const mistakes = mistakesIn(base + Array.from({ length: 50 }, (_, i) => `x${i}: 1\n`).join(''));
    assert.equal(mistakes.length, 31);
    assert.equal(mistakes[30], 'and 20 more');
  });
});

describe('what is no YAML, or not fit for settings', () => {
  const rows: [reads: string, text: string, mistakes: string[]][] = [
    [
      'a bracket that is not closed',
      `${base}expect: [`,
      [
        '4:10: this is no YAML: Flow sequence in block collection must ' +
          'be sufficiently indented and end with a ]',
      ],
    ],
    [
      'a tab for indentation',
      `question: What?\ntopics:\n\tnews: 5`,
      ['3:1: this is no YAML: Tabs are not allowed as indentation'],
    ],
    ['a tag', `${base}repeat: !three 3`, ['4:9: this is no YAML: Unresolved tag: !three']],
    [
      'two documents',
      `${base}---\n${base}`,
      ['4:1: this is no YAML: Source contains multiple documents; please use YAML.parseAllDocuments()'],
    ],
    ['a key twice', `${base}repeat: 3\nrepeat: 4`, ['5:1: the key "repeat" stands twice in the same map']],
    [
      'a key twice, and other mistakes with it',
      `${base}repeat: 3\nrepeat: 4\nsed: 5`,
      ['5:1: the key "repeat" stands twice in the same map', '6:1: sed: unknown key; did you mean "seed"?'],
    ],
    ['a list for a key', `${base}? [a, b]\n: 5`, ['4:3: a key must be a single word or text']],
    [
      '__proto__ for a topic',
      base.replace('{ news:', '{ __proto__: { publish: 5/s }, news:'),
      ['3:11: "__proto__" cannot be a key'],
    ],
    [
      'an alias of nothing',
      `${base}repeat: *often`,
      ['4:9: the alias *often has no anchor &often before it'],
    ],
    [
      'an alias of itself',
      `${base}expect: &all [*all]`,
      ['4:15: the alias *all stands inside its own anchor'],
    ],
    [
      'aliases that multiply',
      `a: &a [${'1,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]`,
      ['1:1: its aliases multiply its values more than 100 times; write the values out'],
    ],
    [
      'more aliases than anybody writes',
      `a: &a 1\nb: [${'*a,'.repeat(100_000)}]`,
      ['1:1: it has more than 1000 aliases; write the values out'],
    ],
    [
      'deep nesting',
      `${base}notice: ${'['.repeat(40)}${']'.repeat(40)}`,
      ['1:1: the values are nested too deep; a scenario needs fewer than 32 levels'],
    ],
    [
      'nesting too deep for the parser',
      '['.repeat(100_000),
      ['1:806: the values are nested too deep; a scenario needs fewer than 32 levels'],
    ],
  ];
  for (const [reads, text, mistakes] of rows) {
    test(reads, () => {
      const found = mistakesIn(text);
      // Where the parser gives up depends on the size of the stack.
      assert.deepEqual(
        found.map((mistake) => mistake.replace(/^1:\d+: the values/, '1:1: the values')),
        mistakes.map((mistake) => mistake.replace(/^1:\d+: the values/, '1:1: the values')),
      );
    });
  }

  // Naming a mistake quotes the file, and these may hold what nobody meant to show.
  const others: [reads: string, text: string, got: string][] = [
    ['a list of users', 'root:SECRET:0:0:root:/root:/bin/bash\nSECRET:x:1:1:/:/bin/sh\n', 'text'],
    [
      'a private key',
      '-----BEGIN PRIVATE KEY-----\nSECRETvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n',
      'text',
    ],
    ['settings of something else', 'password: SECRET\nSECRET: 5\nserver: SECRET\n', 'a map with other keys'],
    ['JSON of something else', '{"token":"SECRET","repeat":"SECRET"}', 'a map with other keys'],
    ['a list of something else', '- SECRET\n', 'a list'],
    ['a line of shell', 'SECRET="a\\SECRET" # x\n', 'text'],
    ['a directive', '%SECRET foo\n---\n', 'something else'],
    ['brackets that do not fit', 'SECRET: b\n]SECRET', 'a map with other keys'],
    ['an alias of nothing', 'a: *SECRET', 'a map with other keys'],
    ['a tag', 'a: !SECRET x', 'a map with other keys'],
    ['a key twice', 'SECRET: 1\nSECRET: 2', 'a map with other keys'],
  ];
  for (const [reads, text, got] of others) {
    test(`${reads} is told to be no scenario, and nothing of it is quoted`, () => {
      for (const overrides of [[], ['repeat=2'], ['SECRE.x=2']]) {
        assert.throws(
          () => read(text, overrides),
          (error: Error) => {
            assert.match(
              error.message,
              new RegExp(`:1:1: this is no scenario: expected a map with the keys question, .*; got ${got}$`),
            );
            return !error.message.includes('SECRET');
          },
        );
      }
    });
  }

  test('a file that is too large is not even read', () => {
    assert.throws(
      () => read(`${base}# ${'x'.repeat(2 ** 20)}`),
      /mine\/quick\.yaml: a scenario file has at most 1 MiB, and this one has more/,
    );
  });

  test('a megabyte of keys takes seconds at the most, not hours', () => {
    const startedMs = performance.now();
    const mistakes = mistakesIn(base + Array.from({ length: 50_000 }, (_, i) => `key${i}: 1\n`).join(''));
    assert.equal(mistakes.at(-1), 'and 49970 more');
    assert.ok(performance.now() - startedMs < 60_000);
  });
});

test('whatever stands in a file, it is a scenario or a list of mistakes', () => {
  const whole = parse(`${base}phases: { measure: 5s }
payload: 1kB
variants: [{ polling: { every: 2s } }, sse]
faults: [{ at: 1s, freeze: server, for: 1s }, { at: 2s, disconnect: 5% }]
expect: [{ check: missed == 0, for: [sse] }, corrupted == 0]
server: { slow: drop }
reconnect: { base: 1s }
`) as Record<string, unknown>;
  const paths = (value: unknown, path: PropertyKey[]): PropertyKey[][] => [
    path,
    ...(typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, one]) => paths(one, [...path, key]))
      : []),
  ];
  const junk = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      null,
      '',
      '5s',
      '5/s',
      '5%',
      '1kB',
      'sse',
      {},
      [],
      0,
      -1,
      1e300,
      { publish: '5/s' },
      { at: '1s' },
      { sse: null },
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...paths(whole, []).slice(1)), junk, (path, value) => {
      const changed = structuredClone(whole);
      const parent = path
        .slice(0, -1)
        .reduce<unknown>((one, key) => (one as Record<PropertyKey, unknown>)[key], changed);
      (parent as Record<PropertyKey, unknown>)[path.at(-1)!] = value;
      const text = JSON.stringify(changed);
      for (const mistake of mistakesIn(text)) {
        assert.match(mistake, /^1:\d+: /);
        if (!/undefined|object/.test(text)) assert.doesNotMatch(mistake, /undefined|\[object/);
      }
    }),
    { numRuns: 500 },
  );
});

describe('described in a few lines', () => {
  test('with its question, size, variants and length', () => {
    const { scenario } = read(`question: How?
subscribers: 1000
topics:
  news: { publish: 10/s }
  room: { publish: 3/s, count: 50, follow: 2 }
phases: { connect: 500ms, warmup: 1s, measure: 10s }
variants: [sse, { sse: { over: h2 } }]
repeat: 3
`);
    assert.equal(
      describeScenario(scenario),
      `quick: How?
  1,000 subscribers, 51 topics, 130 events and 101,200 deliveries in 10s
  6 trials (3 of each): sse, sse h2
  about 78 s`,
    );
  });
  test('with a trace, whose events are not known before it is read', () => {
    const { scenario } = read(
      'question: How?\nsubscribers: 1\ntopics: { a: { publish: { trace: day.csv } } }\nvariants: [sse]',
    );
    assert.equal(
      describeScenario(scenario),
      `quick: How?
  1 subscriber, 1 topic, events and deliveries as its traces have them
  1 trial: sse
  about 11.5 s`,
    );
  });
});
