// Reads whole scenario files, and compares what they are resolved into, and how they are described.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
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

/** One server by itself. */
const alone = { count: 1, broker: { kind: 'in-process', url: undefined }, inFront: { kind: 'list' } };

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
  slowBuffer: 10kB, slow: drop, announce: 10s }
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
        announce: 10_000,
      },
      servers: alone,
      reconnect: { policy: 'full-jitter', base: 50, cap: 1000, reset: 'on-open', advice: 'obey' },
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
        announce: 0,
      },
      servers: alone,
      reconnect: { policy: 'full-jitter', base: 100, cap: 5000, reset: 'on-open', advice: 'obey' },
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
      /^4:14: variants\[0\]\.fake: unknown key; possible here: polling, long-polling/,
    );
  });

  test('may repeat itself by anchors and aliases', () => {
    const { scenario } = read(
      'question: What?\nsubscribers: 1\ntopics: { a: &a { publish: 5/s, follow: 1 }, b: *a }\n',
    );
    assert.deepEqual(scenario.topics['a'], scenario.topics['b']);
  });
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
  about 90 s`,
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
  about 13.5 s`,
    );
  });
});
