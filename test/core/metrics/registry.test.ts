// Reads every metric of one known trial; tests how percentiles and several trials become figures, and what a
// trial without figures gives.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import type { Completed } from '../../../core/result/result.ts';
import { figureOf, figureOver, metrics, notMeasured } from '../../../core/metrics/registry.ts';
import { histogramOf } from '../../../core/result/load-histogram.ts';
import { recovery } from '../result/recovery.ts';
import { completed, processUse, stored, thousandFrom } from '../result/trial.ts';

/** 1000 latencies from `from` us on, one each microsecond. */
function latencies(prefix: string, from: number): Record<string, number> {
  return {
    [`${prefix}.mean`]: from + 499.5,
    [`${prefix}.p50`]: from + 499,
    [`${prefix}.p90`]: from + 899,
    [`${prefix}.p99`]: from + 989,
    [`${prefix}.p99.9`]: from + 998,
    [`${prefix}.max`]: from + 999,
  };
}

/** By hand, from the trial in trial.ts. */
const expected: Record<string, number> = {
  ...latencies('latency', 1),
  ...latencies('accept-to-receipt', 101),
  ...latencies('publisher-lag', 201),
  ...latencies('publish-round-trip', 301),
  ...latencies('first-receiver', 401),
  ...latencies('median-receiver', 501),
  ...latencies('last-receiver', 601),
  ...latencies('upstream', 701),
  ...latencies('page-request', 801),
  published: 11,
  expected: 13,
  delivered: 14,
  missed: 15,
  duplicated: 16,
  reordered: 17,
  resumed: 18,
  corrupted: 19,
  unexpected: 20,
  requests: 50,
  'requests-per-s': 5,
  'requests-per-delivery': 0.5,
  'empty-polls': 10,
  'empty-poll-share': 0.25,
  'page-requests-answered': 0.75,
  'bytes-per-delivery': 50,
  bytes: 5000,
  'bytes-per-s': 500,
  'descriptors.peak': 25,
  'descriptors.added': 4,
  'descriptors.added-peak': 5,
  'descriptors-per-subscriber': 1,
  connections: 8,
  'connections-per-subscriber': 2,
  'descriptors-per-connection': 0.5,
  'server-cpu-per-delivery': 20_000,
  'server-cpu-per-delivery.whole': 20_000,
  'client-cpu-per-delivery': 40_000,
  'server-cpu': 0.2,
  'server-busy': 0.2,
  'server-cpu.idle': 0, // of 0.2 of a core; see below for more
  'client-cpu': 0.3,
  'server-rss.peak': 9000,
  'server-memory-per-subscriber': 1000,
  'client-memory-per-subscriber': 150,
  'server-loop-delay.p99': 70,
  // 4 subscribers for 10 s are 40 of a day's 86,400 seconds
  'requests-per-day-per-subscriber': 50 / (40 / 86_400),
  'bytes-per-day-per-subscriber': 5000 / (40 / 86_400),
  'deliveries-per-day-per-subscriber': 100 / (40 / 86_400),
  'deliveries-per-s': 10,
  headroom: 3, // 90 % of a core over 30 %
  'descriptors.share-of-65535': 25 / 65_535,
  'descriptors.share-of-limit': 25 / 1024,
  'packets-per-delivery': 3,
  'wire-bytes-per-delivery': 60,
  'attempts-per-event': 1.25,
  'answers-lost': 3,
  'duplicated.unexplained': 13,
  'backlog.peak': 7,
  'backlog.end': 5,
  'oldest-age.peak': 9000,
  'latency.first-attempt.p50': 1200,
  'latency.first-attempt.p99': 1690,
  'latency.first-attempt.max': 1700,
  'latency.retried.p50': 1300,
  'latency.retried.p99': 1790,
  'latency.retried.max': 1800,
  'latency.before-faults.p50': 1500,
  'latency.before-faults.p99': 1990,
  'latency.before-faults.max': 2000,
  'latency.during-faults.p50': 2501,
  'latency.during-faults.p99': 2991,
  'latency.during-faults.max': 3000,
  reconnects: 21,
  errors: 6,
  ...times('recovery', 1001),
  ...times('reconnect', 901),
  // 900 us to 1900 us of those cut off, and one that left for 5 ms; one never came back.
  'offline.p50': 1401,
  'offline.p95': 1851,
  'offline.p99': 1891,
  'offline.max': 7000,
  absences: 1003,
  'recovered-share': 1001 / 1003,
  'too-late': 1,
  'never-back': 1,
  'last-back': 7_000_000,
  'faults.length': 4_500_000,
  downtime: 30_000,
  'missed.while-away': 9,
  'missed.while-connected': 6,
  'peak-connects': 800,
  'connects-refused': 33,
  'attempts-per-absence': (33 + 1002) / 1003,
  'busiest-server-share': 1,
  'busiest-server-connects': 1,
  'connect-time': 1,
  'kernel-memory-per-connection': 100,
  'memory-per-connection': (4000 + 600 + 800) / 8,
};

function times(prefix: string, from: number): Record<string, number> {
  return {
    [`${prefix}.p50`]: from + 499,
    [`${prefix}.p95`]: from + 949,
    [`${prefix}.p99`]: from + 989,
    [`${prefix}.max`]: from + 999,
  };
}

/** The known trial, of a server that costs nothing while it is idle, with subscribers that were away. */
function known(): Completed {
  const trial = completed();
  return {
    ...trial,
    recovery,
    faults: [
      { kind: 'deploy', did: 'all servers were replaced', atMs: 2000, atUs: 2_000_000, tookUs: 4_500_000 },
      { kind: 'disconnect', did: 'the server cut 10 %', atMs: 3000, atUs: 3_000_000 },
      { kind: 'freeze', did: 'the server stood still', atMs: 4000, atUs: null, forMs: 9000 },
    ],
    latencyAroundFaults: { before: thousandFrom(1001), during: thousandFrom(2001), toUs: 9_000_000 },
    processes: trial.processes.map((one) =>
      one.role === 'server' ? { ...one, idleShare: 0, subscribers: 4, handshakes: 2 } : one,
    ),
  };
}

describe('each metric of a known trial', () => {
  for (const [name, { read, title }] of Object.entries(metrics)) {
    test(`${name}: ${title}`, () => assert.equal(read(known()), expected[name]));
  }
  test('has a figure of its own', () =>
    assert.deepEqual(Object.keys(expected).toSorted(), Object.keys(metrics).toSorted()));
});

test('memory of a subscriber takes 1,000 of them', () => {
  const of = (subscribers: number) => figureOf('server-memory-per-subscriber', completed({ subscribers }));
  assert.deepEqual(of(1000), { value: 4 });
  assert.deepEqual(of(999), {
    value: undefined,
    why: 'needs at least 1,000 subscribers; with 999 it is within noise',
  });
});

test('several trials are the median of those that count and have the figure', () => {
  const trial = (missed: number, valid = true) =>
    completed({ valid, ledger: { ...completed().ledger, missed } });
  assert.deepEqual(figureOver('missed', [trial(9), trial(1), trial(3)]), {
    value: 3,
    low: 1,
    high: 9,
    trials: 3,
  });
  assert.deepEqual(figureOver('missed', [trial(9), trial(1), trial(300, false), trial(2), trial(3)]), {
    value: 2.5,
    low: 1,
    high: 9,
    trials: 4,
  });
  const doubted = [trial(7, false), trial(5, false)];
  assert.deepEqual(figureOver('missed', doubted), {
    value: undefined,
    why: 'void: the trial does not count',
    voided: ['the trial does not count'],
  });
  assert.equal(figureOver('missed', [...doubted, trial(1)]).value, 1);
  assert.deepEqual(figureOver('missed', []), { value: undefined, why: 'no trial went through' });
  // Not measured in one: the others'. Too few samples in one: none.
  const unmeasured = completed({ descriptors: null });
  assert.equal(figureOver('descriptors.peak', [completed(), unmeasured]).value, 25);
  assert.deepEqual(figureOver('descriptors.peak', [unmeasured]), { value: undefined, why: notMeasured });
  const short = completed({ latency: { ...completed().latency, endToEnd: stored(5) } });
  assert.deepEqual(figureOver('latency.p50', [completed(), short]), {
    value: undefined,
    why: '1 samples; 200 are needed',
  });
});

test('of one trial a figure needs what it rests on, something to count among, and a number', () => {
  const late = completed({ valid: false, voids: { 'publisher-late': ['latency'] } });
  assert.deepEqual(figureOf('latency.p50', late), {
    value: undefined,
    why: 'void: publisher-late',
    voided: ['publisher-late'],
  });
  const expecting = (deliveries: number) =>
    figureOf('missed', completed({ ledger: { ...completed().ledger, expected: deliveries, missed: 0 } }));
  assert.deepEqual(expecting(1), { value: 0 });
  assert.equal(expecting(0).value, undefined);
  const idling = (idleShare: number) =>
    figureOf('server-cpu-per-delivery', {
      ...completed(),
      processes: [processUse('server', { cpuUs: 2e6, idleShare })],
    });
  // 0.2 of a core in use: 1.25 times 0.15 is less than that, 1.25 times 0.17 more.
  assert.notEqual(idling(0.15).value, undefined);
  assert.deepEqual(idling(0.17), {
    value: undefined,
    why: 'the server used 20 % of a core under load and 17 % idle: the difference is within noise',
  });
  const atOnce = figureOf('requests-per-s', completed({ measuredUs: 0 }));
  assert.deepEqual(atOnce, { value: undefined, why: notMeasured }, '50 requests in no time');
});

test('what became of subscribers that were away has no figure where none was', () => {
  const why = (name: string, trial: Completed) => {
    const figure = figureOf(name, trial);
    return figure.value === undefined ? figure.why : figure.value;
  };
  const { cut: _, ...nobodyCut } = recovery;
  assert.equal(why('recovery.max', completed()), 'no subscriber was cut off');
  assert.equal(why('recovery.max', completed({ recovery: nobodyCut })), 'no subscriber was cut off');
  assert.equal(why('never-back', completed()), 'no subscriber was away');
  assert.equal(why('never-back', completed({ recovery: nobodyCut })), 0);
  assert.equal(why('missed.while-connected', completed()), 15);
  // 10 of 1,000 lie beyond the p99; of 900 only 9.
  assert.equal(why('recovery.p99', completed({ recovery })), 1990);
  const fewer = { ...recovery.cut!, caughtUp: stored(...Array.from({ length: 900 }, (_, n) => n)) };
  assert.equal(
    why('recovery.p99', completed({ recovery: { ...recovery, cut: fewer } })),
    '9 absences beyond it; 10 are needed',
  );
});

test('a metric that an older version had is none', () => {
  assert.deepEqual(figureOf('no-such-metric', completed()), {
    value: undefined,
    why: 'this version has no such metric',
  });
});

describe('a figure that a trial does not have is undefined', () => {
  const empty = stored();
  const nothing = completed({
    latency: {
      endToEnd: empty,
      acceptToReceipt: empty,
      publisherLag: empty,
      publishRoundTrip: empty,
      firstReceiver: empty,
      medianReceiver: empty,
      lastReceiver: empty,
    },
    counters: {
      server: newCounters(),
      client: newCounters(),
      serverMeasured: newCounters(),
      clientMeasured: newCounters(),
    },
    measuredDeliveries: 0,
    latencyByAttempt: [],
    series: { slotUs: 1e6, startUs: [], columns: {} },
    descriptors: null,
    processes: [processUse('publisher')],
  });
  for (const name of Object.keys(metrics).filter((one) =>
    /\.(mean|p\d|max|peak|added)|per-delivery|share|cpu$/.test(one),
  )) {
    test(name, () => assert.equal(metrics[name]!.read(nothing), undefined));
  }
});

test('titles tell metrics apart, and names are words that an expectation can name', () => {
  const titles = Object.values(metrics).map(({ title }) => title);
  assert.equal(new Set(titles).size, titles.length);
  for (const name of Object.keys(metrics)) assert.match(name, /^[a-z][a-z0-9.-]*$/);
});

test('a histogram is decoded once', () => {
  const { latency } = completed();
  assert.equal(histogramOf(latency.endToEnd), histogramOf(latency.endToEnd));
});
