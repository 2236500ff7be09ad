// Holds each warning at its limit: the reading just inside does not give it, the one just outside does, with
// what it makes void and the figures in its text. A voiding code without a row fails.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { voidingCodes } from '../../../core/result/voids.ts';
import { outcomeOf } from '../../../harness/trial/outcome.ts';
import type { Readings } from '../../../harness/trial/readings.ts';
import { compressionRows } from './validity-compression-rows.ts';
import { networkRows } from './validity-network-rows.ts';
import { placeRows } from './validity-place-rows.ts';
import { voidingRows, type Case, type Row } from './validity-rows.ts';
import { wireRows } from './validity-wire-rows.ts';
import { workerRows } from './validity-worker-rows.ts';
import {
  closedBy,
  counters,
  histogram,
  planOf,
  polls,
  readingsOf,
  samplesOf,
  self,
  sparse,
  streams,
  window,
} from './readings.ts';

const rows = [...voidingRows, ...placeRows, ...wireRows, ...networkRows, ...workerRows];

function judged({ scenario, readings, variant = streams }: Case) {
  const { warnings, outcome } = outcomeOf(planOf(scenario), variant, readingsOf(readings));
  assert.ok(outcome.status === 'completed');
  return { warnings, outcome, codes: warnings.map(({ code }) => code) };
}

/** The warning that a row is about, as the case outside its limit gives it; the case inside must not. */
function atTheLimit({ code, inside, outside, says }: Row) {
  assert.ok(!judged(inside).codes.includes(code), `inside: ${code}`);
  const { warnings, outcome } = judged(outside);
  const [warning, ...more] = warnings.filter((one) => one.code === code);
  assert.ok(warning, `outside, there is only ${JSON.stringify(warnings)}`);
  assert.deepEqual(more, []);
  for (const text of says) assert.ok(warning.message.includes(text), `"${text}" in: ${warning.message}`);
  return { warning, outcome };
}

const nameOf = ({ code, when }: Row) => (when === undefined ? code : `${code}: ${when}`);

test('a trial in which nothing went wrong has no warning, and nothing of it is void', () => {
  const { warnings, outcome } = judged({});
  assert.deepEqual(warnings, []);
  assert.equal(outcome.valid, true);
  assert.equal(outcome.voids, undefined);
});

test('every code that makes figures void has a row', () => {
  const codes = new Set(rows.map(({ code }) => code));
  assert.deepEqual(
    voidingCodes.filter((code) => !codes.has(code) && code !== 'saturated'), // of no reading
    [],
    'add a row to validity-rows.ts',
  );
});

describe('what makes figures void', () => {
  for (const row of rows)
    test(nameOf(row), () => {
      const { warning, outcome } = atTheLimit(row);
      assert.equal(warning.level, 'invalid');
      assert.equal(outcome.valid, false);
      assert.deepEqual(Object.keys(outcome.voids!), [row.code], 'nothing else is in question');
      assert.deepEqual(outcome.voids![row.code]!.toSorted(), row.voids.toSorted());
    });
});

test('several reasons each make void what is theirs', () => {
  const { outcome } = judged({
    readings: { subscribers: 9, latency: histogram([1000, 10_000], [-1, 1]) },
  });
  assert.deepEqual(Object.keys(outcome.voids!), ['subscribers', 'clock']);
  assert.deepEqual(outcome.voids!['clock'], ['latency']);
});

test('of what the load side refused, each kind counts, and the most frequent is named', () => {
  const kinds = [
    { code: 'too-long', message: 'a line', count: 2 },
    { code: 'http-status', message: 'status 500', count: 900 },
    { code: 'delivery-too-large', message: 'a webhook', count: 3 },
  ];
  const { warnings } = judged({ readings: { closed: [closedBy({}, { problems: kinds }), closedBy()] } });
  assert.match(warnings[0]!.message, /refused what it was sent 5 times for its size: a webhook\. /);
});

test('where the load side refused what came, neither target nor pattern is blamed for the rest', () => {
  const problems = [{ code: 'too-long', message: 'a line', count: 1 }];
  const nothing = closedBy({ delivered: 0, missed: 5000 }, { problems });
  const { codes } = judged({ readings: { serverReadings: 'none', closed: [nothing, nothing] } });
  assert.deepEqual(codes, ['load-refused', 'target']);
});

const errorsOf = (server: number, client: number) => ({
  serverCounters: counters({ handshakes: 10, events: 11_000, bytesOut: 2e6, bytesIn: 2000, errors: server }),
  closed: [
    closedBy(
      {},
      {
        counters: counters({ handshakes: 5, events: 5500, bytesIn: 1e6, bytesOut: 1000, errors: client }),
        problems: [{ code: 'reset', message: 'the connection was reset', count: client }],
      },
    ),
    closedBy(),
  ],
});
const reconnectsOf = (reconnects: number) => ({
  closed: [
    closedBy(
      {},
      { counters: counters({ handshakes: 5, events: 5500, bytesIn: 1e6, bytesOut: 1000, reconnects }) },
    ),
    closedBy(),
  ],
});
/** Polls of both load processes; one of ten subscribers a second each makes a hundred. */
const pollsOf = (full: number, empty: number) => {
  const ends = (last: object) => [
    { sample: self(window.fromUs), counters: counters({}) },
    { sample: self(window.toUs), counters: counters(last) },
  ];
  return {
    samples: [
      samplesOf('server', 0),
      samplesOf('load', 0, ends({ fullPolls: full })),
      samplesOf('load', 1, ends({ emptyPolls: empty })),
    ],
  };
};

/** A deploy that began a second after the measured phase of ten did. */
const deployOf = (tookUs: number): Partial<Readings> => ({
  faults: [
    {
      fault: {
        kind: 'deploy',
        atMs: 1000,
        ask: { how: 'rolling', drain: { windowMs: 1000, limitMs: 2000 }, pauseMs: 0, parallel: 1 },
      },
      atUs: window.fromUs + 1_000_000,
      tookUs,
    },
  ],
});

const noteRows: readonly Row[] = [
  {
    code: 'fault-outlasts',
    inside: { readings: deployOf(9_000_000) },
    outside: { readings: deployOf(10_250_000) },
    says: ['all servers were replaced', 'took 10.3 s', 'ended 1.25 s after', 'phases.measure=13s'],
  },
  {
    code: 'target',
    inside: {},
    outside: { readings: { serverReadings: 'none' } },
    says: ['not our server', 'counts were not compared. Its CPU, memory and descriptors were not measured'],
  },
  {
    code: 'target',
    when: 'it runs on to a second trial',
    inside: { scenario: { repeat: 2 } },
    outside: { scenario: { repeat: 2 }, readings: { serverReadings: 'outside' } },
    says: ['It kept running from trial to trial'],
  },
  {
    code: 'target',
    when: 'it runs on to a second variant',
    inside: {},
    outside: { scenario: { variants: ['sse', 'polling'] }, readings: { serverReadings: 'outside' } },
    says: ['It kept running from trial to trial'],
  },
  {
    code: 'missed',
    inside: {},
    outside: { readings: { closed: [closedBy({ delivered: 4997, missed: 3 }), closedBy()] } },
    says: ['3 of 10,000 deliveries'],
  },
  {
    code: 'errors',
    inside: { readings: errorsOf(0, 0) },
    outside: { readings: errorsOf(2, 1) },
    says: [
      'the server counted 2 requests, attempts or connections that failed',
      'the load side counted 1 request, attempt or connection that failed',
      'most often: the connection was reset',
    ],
  },
  {
    code: 'errors',
    when: 'of the server alone',
    inside: {},
    outside: { readings: { ...errorsOf(1, 0), closed: [closedBy(), closedBy()] } },
    says: ['the server counted 1 request, attempt or connection that failed.'],
  },
  {
    code: 'reconnects',
    inside: { readings: reconnectsOf(0) },
    outside: { readings: reconnectsOf(3) },
    says: ['reconnected 3 times.'],
  },
  {
    code: 'reconnects',
    when: 'as the scenario asked',
    inside: { scenario: { faults: [{ at: '2s', disconnect: '10%' }] } },
    outside: { scenario: { faults: [{ at: '2s', disconnect: '10%' }] }, readings: reconnectsOf(3) },
    says: ['3 times, as the scenario asked'],
  },
  {
    code: 'fell-back',
    inside: { readings: { closed: [{ ...closedBy(), transports: { websocket: 100, sse: 0 } }, closedBy()] } },
    outside: {
      readings: {
        closed: [
          { ...closedBy(), transports: { websocket: 45, sse: 5, 'long-polling': 0 } },
          { ...closedBy(), transports: { websocket: 47, sse: 2, 'long-polling': 1 } },
        ],
      },
    },
    says: ['7 % came by SSE, and 1 % came by long polling'],
  },
  {
    code: 'publisher-late',
    when: 'the scenario froze it',
    inside: {},
    outside: {
      scenario: { faults: [{ at: '2s', freeze: 'publisher', for: '1s' }] },
      readings: { done: { ...readingsOf().done, lag: sparse([500_000, 1000]) } },
    },
    says: ['500 ms', "the scenario's faults explain it"],
  },
  {
    code: 'poll-rate',
    inside: { variant: polls, readings: pollsOf(40, 55) },
    outside: { variant: polls, readings: pollsOf(40, 54) },
    says: ['polled 10 times a second', 'did so 9 times (94 %)', 'server used 10 % of a core'],
  },
  {
    code: 'few-samples',
    inside: {},
    outside: { readings: { latency: histogram([1000, 99]) } },
    says: ['0 distinct events lie beyond it, and 10 are needed', 'or measure longer (--set phases.measure='],
  },
  {
    code: 'few-samples',
    when: 'a trace that has ended',
    inside: {},
    outside: {
      scenario: { topics: { news: { publish: { trace: 'day.csv' } } } },
      readings: { latency: histogram([1000, 99]) },
    },
    says: ['the trace has no more of them, so take a longer or denser one'],
  },
];

describe('what figures are to be read with, and what leaves all of them standing', () => {
  for (const row of [...noteRows, ...compressionRows])
    test(nameOf(row), () => {
      const { warning, outcome } = atTheLimit(row);
      assert.equal(warning.level, 'note');
      assert.equal(outcome.valid, true);
      assert.equal(outcome.voids, undefined);
    });
});

test('a target whose process was read and which ran once is said to be neither unread nor to run on', () => {
  const { warnings } = judged({ readings: { serverReadings: 'outside' } });
  assert.match(warnings[0]!.message, /counts were not compared\.$/);
});

test('a quota that stopped the trial for a moment is a note, and none that never did', () => {
  const of = (throttledPeriods: number, throttledUs: number) =>
    judged({ readings: { throttling: { periods: 100, throttledPeriods, throttledUs } } });
  assert.deepEqual(of(0, 0).codes, []);
  const { warnings, outcome } = of(1, 40_000);
  assert.deepEqual(
    [warnings.length, warnings[0]!.code, warnings[0]!.level],
    [1, 'throttled-briefly', 'note'],
  );
  assert.match(warnings[0]!.message, /used up in 1 of its 100 periods, .* for 40 ms in all/);
  assert.equal(outcome.valid, true);
});
