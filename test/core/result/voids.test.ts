// Tests what each warning makes void: a row for each code, and what a trial's counters add to it.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { figureOf, figureOver, metrics } from '../../../core/metrics/registry.ts';
import { newCounters } from '../../../core/result/counters.ts';
import { evidence, evidenceText, type Evidence } from '../../../core/result/evidence.ts';
import { allVoid, allVoidedWords, voidedBy, voidingCodes, voidsOf } from '../../../core/result/voids.ts';
import type { VoidingCode } from '../../../core/result/voids.ts';
import { completed } from './trial.ts';

/** A stream's trial: nobody asks, nobody was cut off, nothing is delivered by requests. */
const stream = () =>
  completed({
    counters: {
      server: newCounters(),
      client: newCounters(),
      serverMeasured: newCounters(),
      clientMeasured: newCounters(),
    },
  });

const counted = (server: object, clientMeasured: object = {}) => {
  const trial = stream();
  return {
    ...trial,
    counters: {
      ...trial.counters,
      server: { ...newCounters(), ...server },
      clientMeasured: { ...newCounters(), ...clientMeasured },
    },
  };
};

const timings: Evidence[] = ['latency'];
const late: Evidence[] = ['latency', 'pace'];
const allButHeld = evidence.filter((one) => one !== 'descriptors' && one !== 'memory');

/** What each code makes void in a trial of a stream, written out. */
const rows: Readonly<Record<VoidingCode, readonly Evidence[]>> = {
  'load-limited': late,
  'load-starved': late,
  'load-frozen': late,
  'load-refused': allButHeld,
  'worker-lost': evidence,
  'worker-clock': timings,
  'load-overcount': allButHeld,
  throttled: late,
  'fault-not-done': evidence,
  'network-late': late,
  'publisher-late': timings,
  'offered-rate': allButHeld,
  subscribers: evidence,
  'ledger-open': ['latency', 'losses', 'requests', 'bytes', 'wire', 'server-cpu', 'pace'],
  'sampled-late': ['requests', 'bytes', 'wire', 'pace', 'server-cpu', 'client-cpu'],
  'cpu-elsewhen': [], // each process was read over the whole of the measured phase
  clock: timings,
  'out-of-range': timings,
  'counts-disagree': [],
  'wire-others': ['wire'],
  emulated: ['latency', 'pace', 'backlog'],
  saturated: ['latency', 'losses', 'requests', 'bytes', 'pace'],
  'target-silent': evidence,
  'target-ended': evidence,
};

const sorted = (list: readonly string[]) => list.toSorted();

describe('what each warning makes void in a trial of a stream', () => {
  for (const code of voidingCodes)
    test(code, () => assert.deepEqual(sorted(voidsOf(code, stream())), sorted(rows[code])));
});

describe('a load process that came late makes void what it counted too late as well', () => {
  const of = (server: object, client?: object) => voidsOf('load-starved', counted(server, client));
  const more = (trial: Evidence[]) => sorted(trial.filter((one) => !late.includes(one)));
  test('polls', () => {
    assert.deepEqual(more(of({}, { emptyPolls: 1 })), ['bytes', 'requests', 'wire']);
    assert.deepEqual(more(of({}, { fullPolls: 1 })), ['bytes', 'requests', 'wire']);
  });
  test('losses, where the server cut slow subscribers off', () => {
    assert.deepEqual(more(of({ slowDisconnects: 1 })), ['connections', 'losses']);
  });
  test('the backlog of webhooks, and their requests where some were made again', () => {
    assert.deepEqual(more(of({ deliveryRequests: 1 })), ['backlog']);
    assert.deepEqual(more(of({ deliveryRequests: 1, retries: 1 })), ['backlog', 'requests']);
  });
});

test('counts that disagree make void what rests on them, and explained ones nothing', () => {
  const of = (name: string, note = '') =>
    voidsOf('counts-disagree', {
      ...stream(),
      checks: [
        { name: 'handshakes', server: 1, client: 1, agree: true, note: '' },
        { name, server: 2, client: 1, agree: false, note },
      ],
    });
  assert.deepEqual(of('full polls'), ['requests']);
  assert.deepEqual(of('webhook requests'), ['requests']);
  assert.deepEqual(of('handshakes'), ['requests', 'connections']);
  assert.deepEqual(of('bytes to the subscribers'), ['bytes']);
  assert.deepEqual(of('events'), ['latency', 'losses', 'pace']);
  assert.deepEqual(of('events', 'there were errors, listed below'), []);
});

test('a late publisher takes the latencies and leaves every count', () => {
  const trial = completed({ valid: false, voids: { 'publisher-late': ['latency'] } });
  assert.deepEqual(figureOf('latency.p50', trial), {
    value: undefined,
    why: 'void: publisher-late',
    voided: ['publisher-late'],
  });
  const standing = Object.keys(metrics).filter((name) => figureOf(name, trial).value !== undefined);
  const latencies = Object.keys(metrics).filter((name) =>
    /^(latency|accept-to-receipt|(first|median|last)-receiver|page-request|upstream)\b/.test(name),
  );
  assert.ok(latencies.length > 30);
  assert.deepEqual(
    standing.filter((name) => latencies.includes(name)),
    [],
  );
  for (const name of ['missed', 'requests', 'descriptors.peak', 'bytes-per-delivery', 'publisher-lag.p50'])
    assert.ok(standing.includes(name), name);
  assert.equal(allVoid(trial), false);
});

test('of several trials a figure is of those in which it stands', () => {
  const trial = (missed: number, voids?: Record<string, Evidence[]>) => {
    const base = completed();
    return {
      ...base,
      valid: voids === undefined,
      ledger: { ...base.ledger, missed },
      ...(voids && { voids }),
    };
  };
  const late = trial(25, { 'publisher-late': ['latency'] });
  const open = trial(7, { 'ledger-open': ['losses'] });
  assert.deepEqual(figureOver('missed', [trial(0), late, open]), {
    value: 12.5,
    low: 0,
    high: 25,
    trials: 2,
  });
  assert.deepEqual(figureOver('missed', [open]), {
    value: undefined,
    why: 'void: ledger-open',
    voided: ['ledger-open'],
  });
});

test('a trial of an older result that does not count has no figure but those of the load side itself', () => {
  const trial = completed({ valid: false });
  assert.equal(allVoid(trial), true);
  assert.deepEqual(voidedBy(['losses'], trial), ['the trial does not count']);
  assert.deepEqual(voidedBy([], trial), []);
});

test('kinds of evidence are one list, however many words each has; of most the others are said', () => {
  assert.equal(evidenceText(['bytes', 'wire']), 'bytes and packets on the wire');
  assert.equal(
    evidenceText(['latency', 'losses', 'connections']),
    'latencies, counts of deliveries, reconnects and errors',
  );
  const most = evidence.filter((one) => one !== 'descriptors' && one !== 'memory');
  assert.equal(evidenceText(most), 'everything but descriptors and memory');
  assert.equal(evidenceText([]), '');
});

test('what is void in words', () => {
  const trial = completed({ valid: false, voids: { late: ['latency'], two: ['latency', 'pace'] } });
  assert.equal(evidenceText(['latency']), 'latencies');
  assert.equal(evidenceText(['latency', 'pace']), 'latencies and deliveries per second');
  assert.equal(evidenceText([...evidence]), 'everything');
  assert.equal(allVoidedWords(trial), 'latencies and deliveries per second', 'each once');
  assert.equal(allVoidedWords(completed({ valid: true })), '');
});
