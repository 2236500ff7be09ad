// Runs the whole pipe from scenario to result over the fake pattern: exact latencies in, the same figures
// out.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { exitCodeOf } from '../../../cli/run.ts';
import { metrics } from '../../../core/metrics/registry.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { histogramOf } from '../../../core/result/load-histogram.ts';
import { resultSchema, type Result } from '../../../core/result/result.ts';
import { TrialFailure } from '../../../harness/process/peer.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { completed, runFake } from '../../fake/run.ts';

/** A reported quantile may differ from the truth by the histogram's three digits. */
function near(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= expected * 0.001 + 1,
    `${actual} is not ${expected}`,
  );
}

test('scripted latencies come out as the percentiles they are', async () => {
  // 100 latencies, 1 to 100 ms, dealt in turn over 20,000 deliveries: pX is X ms.
  const latencies = Array.from({ length: 100 }, (_, i) => `${i + 1}ms`).join(', ');
  const { result } = await runFake(`variants: [{ fake: { latencies: [${latencies}] } }]`);
  const trial = completed(result);
  for (const percent of [1, 50, 90, 99, 100])
    near(quantileUs(histogramOf(trial.latency.endToEnd), percent / 100), percent * 1000);
  near(metrics['latency.mean']!.read(trial), 50_500);
  const { missing, ...ledger } = trial.ledger;
  assert.deepEqual(missing, []);
  assert.deepEqual(ledger, {
    published: 200,
    unconfirmed: 0,
    expected: 20_000,
    delivered: 20_000,
    missed: 0,
    duplicated: 0,
    // A subscriber's deliveries all take the same time: 100 latencies in turn over 100 subscribers.
    reordered: 0,
    resumed: 0,
    corrupted: 0,
    unexpected: 0,
  });
  assert.equal(trial.valid, true);
});

test('events that are overtaken are counted as reordered', async () => {
  // Event e reaches subscriber s after 250 ms where (e + s) % 3 is 1, else after 10 ms; the next two come
  // 100 and 200 ms later. Of 200 measured events, the first of which is event 10, 67 are slow for 34 of the
  // 100 subscribers and 133 for 33. The last one, slow for 33, is overtaken by none.
  const { result } = await runFake('variants: [{ fake: { latencies: [10ms, 10ms, 250ms] } }]');
  assert.equal(completed(result).ledger.reordered, 67 * 34 + 133 * 33 - 33);
});

test('the result is one that its own schema accepts, and survives being written down', async () => {
  const { result } = await runFake('variants: [fake]');
  assert.deepEqual(
    resultSchema.parse(JSON.parse(JSON.stringify(result))),
    JSON.parse(JSON.stringify(result)),
  );
});

test('the ledger closes to the last event: losses and duplicates are counted and named', async () => {
  // Deliveries 1,001 to 21,000 are measured. Every 97th is lost: 216 up to the end less 10 before.
  const { result } = await runFake('variants: [{ fake: { loseEvery: 97 } }, { fake: { repeatEvery: 50 } }]');
  const lossy = completed(result, 0).ledger;
  assert.equal(lossy.missed, 206);
  assert.equal(lossy.delivered, 19_794);
  assert.equal(lossy.missing.length, 100, 'a sample of the missing is named');
  assert.ok(result.trials[0]!.warnings.some(({ code }) => code === 'missed'));
  assert.equal(completed(result, 1).ledger.duplicated, 400);
  assert.equal(completed(result, 1).ledger.missed, 0);
});

test('an event that comes within the drain limit is not missed, one that comes after it is', async () => {
  const { result } = await runFake(
    'variants: [{ fake: { latencies: [2500ms] } }, { fake: { latencies: [10s] } }]',
  );
  assert.equal(completed(result, 0).ledger.missed, 0);
  // Events of the last 7 s of 20 s come later than 3 s after the end.
  assert.equal(completed(result, 1).ledger.missed, 7000);
});

test(
  'latency runs from the planned time: a late publisher is in ' + 'every latency and makes the trial invalid',
  async () => {
    const { result } = await runFake('variants: [{ fake: { lag: 200ms, latencies: [10ms] } }]');
    near(metrics['latency.p50']!.read(completed(result)), 210_000);
    near(metrics['publisher-lag.p99']!.read(completed(result)), 200_000);
    assert.deepEqual(invalidCodes(result), ['publisher-late']);
    // A share is spoken of only where at least 10 events lie beyond the percentile.
    assert.match(
      result.trials[0]!.warnings.find(({ code }) => code === 'publisher-late')!.message,
      /sent the slowest of [\d,]+ events [\d.]+ ms or more after .*, where the slowest of 20,000 deliveries took/,
    );
    assert.equal(exitCodeOf(result), 4);
  },
);

test('what other programs send makes packets and bytes on the wire void, and nothing else', async () => {
  const { result } = await runFake(
    'variants: [fake, { fake: { othersBytesPerS: 100000 } }, { fake: { othersBytesPerS: 1000000 } }]',
  );
  const said = result.trials.map(({ warnings }) => warnings.filter(({ code }) => code === 'wire-others'));
  assert.deepEqual(
    said.map((all) => all.map(({ message }) => /before the first|explain at most/.exec(message)?.[0])),
    // Of 20,000 deliveries: 2 MB are sent and at most 4.8 MB explained, 20 s of others come on top.
    [[], ['before the first'], ['explain at most']],
  );
  assert.equal(completed(result, 0).network!.wireBytes, 2_000_000);
  assert.equal(completed(result, 1).network!.idleBytesPerS, 100_000);
  assert.deepEqual(completed(result, 0).network!.explained, {
    // Two writes a delivery, five for each of the 200 events that were published; as many acknowledgements.
    mostSegments: 82_000,
    mostBytes: 4_920_000,
    leastBytes: 0,
  });
});

test('a saturated load process makes latencies void: what is expected of them is not judged', async () => {
  const { result } = await runFake(
    'variants: [{ fake: { loadCpu: 0.95 } }]\nexpect: [missed == 0, latency.mean < 10s]',
  );
  assert.deepEqual(invalidCodes(result), ['load-limited']);
  assert.match(result.trials[0]!.warnings[0]!.message, /measured the load generator, not the server/);
  assert.deepEqual(
    result.expectations.map(({ verdict, why }) => [verdict, why]),
    [
      ['held', undefined],
      ['not-judged', 'void: load-limited'],
    ],
  );
  assert.equal(exitCodeOf(result), 4);
});

test('expectations decide the exit code', async () => {
  const held = await runFake('variants: [fake]\nexpect: [missed == 0, latency.max < 11ms]');
  assert.deepEqual(
    held.result.expectations.map((one) => one.held),
    [true, true],
  );
  assert.equal(exitCodeOf(held.result), 0);
  const failed = await runFake('variants: [fake]\nexpect: [latency.p50 < 1ms]');
  assert.equal(exitCodeOf(failed.result), 1);
  near(failed.result.expectations[0]!.measured!, 10_000);
});

test('a run in which nothing arrives answers nothing, whether it was asked or not', async () => {
  const lost = 'variants: [{ fake: { loseEvery: 1 } }]\n';
  const { result: unasked } = await runFake(lost);
  assert.equal(completed(unasked).ledger.delivered, 0);
  assert.equal(exitCodeOf(unasked), 4);
  const { result: counts } = await runFake(
    `${lost}expect: [reordered == 0, duplicated == 0, corrupted == 0, unexpected == 0]`,
  );
  assert.deepEqual(
    counts.expectations.map(({ verdict, why }) => `${verdict}: ${why}`),
    Array(4).fill('not-judged: nothing was delivered'),
  );
  assert.equal(exitCodeOf(counts), 4);
  // What was missed is known, and it failed.
  const { result: missed } = await runFake(`${lost}expect: [missed == 0, reordered == 0]`);
  assert.deepEqual(
    missed.expectations.map(({ verdict }) => verdict),
    ['failed', 'not-judged'],
  );
  assert.equal(exitCodeOf(missed), 1);
});

test('a server that dies fails its trial with the reason, and the next trial still runs', async () => {
  const { result, fleet } = await runFake('variants: [{ fake: { fail: server-dies } }, fake]');
  const { outcome } = result.trials[0]!;
  assert.ok(outcome.status === 'failed');
  assert.match(outcome.message, /the server process ended in the middle of the trial \(signal SIGKILL\)/);
  assert.equal(completed(result, 1).ledger.missed, 0);
  assert.equal(exitCodeOf(result), 3);
  assert.deepEqual([...fleet.running], []);
});

test('a server of ours that does not start ends the run, and what was measured before is kept', async () => {
  const fleet = fakeFleet();
  let started = 0;
  const server = () => {
    const peer = fleet.server();
    if (started++ === 0) return peer;
    const broken = Promise.reject<never>(new TrialFailure('EADDRINUSE', 'server: the port is taken'));
    broken.catch(() => {});
    return { ...peer, broken };
  };
  const { result } = await runFake('variants: [fake]\nrepeat: 4', { fleet: { ...fleet, server } });
  assert.deepEqual(
    result.trials.map(({ outcome }) => outcome.status),
    ['completed', 'failed'],
  );
  assert.deepEqual(result.state, {
    kind: 'failed',
    why: 'fake did not start, so nothing more is tried: server: the port is taken',
  });
  assert.equal(exitCodeOf(result), 3);
  assert.deepEqual([...fleet.running], []);
});

test('a load process that reports a failure fails the trial with its message', async () => {
  const { result } = await runFake('variants: [{ fake: { fail: load-reports-failure } }]');
  const { outcome } = result.trials[0]!;
  assert.ok(outcome.status === 'failed');
  assert.deepEqual([outcome.code, outcome.message], ['EMFILE', 'load 1: no descriptor is left']);
});

test('an interrupted run keeps the trials before it and leaves nothing running', async () => {
  const stop = new AbortController();
  let ended = 0;
  const observer = {
    trialStarted() {
      if (ended === 1) setImmediate(() => stop.abort(new Error('SIGINT')));
    },
    progress() {},
    trialEnded() {
      ended++;
    },
  };
  const { result, fleet } = await runFake('variants: [fake, { fake: { latencies: [1ms] } }]', {
    signal: stop.signal,
    observer,
  });
  assert.equal(result.trials.length, 1);
  assert.deepEqual(result.state, { kind: 'interrupted', by: 'SIGINT' });
  assert.equal(exitCodeOf(result), 130);
  assert.deepEqual([...fleet.running], []);
});

test('the time series covers warm-up and measured phase in slots', async () => {
  const { result } = await runFake('variants: [{ fake: { latencies: [10ms] } }]');
  const { series } = completed(result);
  assert.equal(series.slotUs, 500_000);
  const at = series.startUs.indexOf(0);
  assert.ok(at > 0, 'the warm-up stands before the measured phase');
  assert.equal(series.columns['deliveries']![at], 500, '5 events in half a second to 100 subscribers');
  near(series.columns['latencyP50Us']![at]!, 10_000);
  assert.equal(series.columns['connected']![at], 100);
});

function invalidCodes(result: Result): string[] {
  return result.trials[0]!.warnings.filter(({ level }) => level === 'invalid').map(({ code }) => code);
}
