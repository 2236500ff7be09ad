// The webhook model as a whole: what becomes of every delivery when endpoints fall short, and how late.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { quantileUs } from '../../../../core/result/histogram.ts';
import { schemes, schemeNames } from '../../../../core/signature/schemes.ts';
import { isAmong } from '../../../../core/scenario/endpoint-conduct.ts';
import { models } from '../../../../simulation/models/registry.ts';
import { createRequestBytes, meanDigits } from '../../../../simulation/models/webhook-wire.ts';
import { variantOf } from '../../../../core/pattern/variant.ts';
import { profileOf, scenarioOf, simulated, steadyMachine } from '../../fixture.ts';

const minuteUs = 60e6;
/** Of 40 endpoints, those that a share of a quarter means. */
const among = Array.from({ length: 40 }, (_, i) => i).filter((i) => isAmong(i, 0.25)).length;

function hooks(more: string, phases = '{ connect: 1s, warmup: 0s, measure: 100s, drain: 2h }') {
  return scenarioOf(
    `question: What becomes of it?\nsubscribers: 40\n` +
      `topics: { orders: { count: 4, publish: 4/s } }\nphases: ${phases}\nvariants: [webhook]\n${more}`,
  );
}

const run = (more: string, options: Readonly<Record<string, unknown>> = {}, phases?: string) =>
  simulated({ scenario: hooks(more, phases), pattern: 'webhook', options });

test('where all answer well, every delivery takes one request, in order', () => {
  const { ledger, counters, latencyByAttempt, saturated, notes, backlog } = run('');
  assert.deepEqual(
    [ledger.expected, ledger.delivered, ledger.missed, ledger.duplicated, ledger.reordered],
    [4000, 4000, 0, 0, 0],
  );
  assert.deepEqual([counters.deliveryRequests, counters.retries, saturated], [4000, 0, false]);
  assert.deepEqual(
    latencyByAttempt!.map(({ attempt, histogram }) => [attempt, histogram.count]),
    [[1, 4000]],
  );
  assert.deepEqual([notes, Math.max(...backlog!.depth)], [[], 0]);
});

test('an event reaches its first, median and last receiver when the profile says so', () => {
  const machine = { ...steadyMachine, subscribers: [10], perS: [4], firstUs: 3000, eachUs: 200, cpuUs: 0 };
  const profile = profileOf({ ...machine, eachCpuUs: 100 });
  const { latency } = simulated({ scenario: hooks(''), pattern: 'webhook', profile });
  const of = (name: 'firstReceiver' | 'medianReceiver' | 'lastReceiver') => quantileUs(latency[name], 0.5)!;
  const near = (us: number, expectedUs: number) =>
    assert.ok(Math.abs(us - expectedUs) < expectedUs * 0.002, `${us} for ${expectedUs}`);
  near(of('firstReceiver'), 3000);
  // Five receivers are the median one and those before it; the profile's median lies halfway.
  near(of('medianReceiver'), 3000 + (9 * 200) / 2);
  near(of('lastReceiver'), 3000 + 9 * 200);
});

test('each lost answer is a duplicate', () => {
  const retries = ['5s', '5s', '5s', '5s', '5s', '5s'];
  const { ledger, wholeTrial } = run('endpoints: [{ does: lose-answer, share: 10% }]', { retries });
  assert.ok(wholeTrial!.answersLost > 200);
  assert.deepEqual([ledger.missed, ledger.duplicated], [0, wholeTrial!.answersLost]);
  assert.equal(ledger.reordered, 0, 'the first of each came in order');
});

test('who answers later than the timeout has acted, and gets it again', () => {
  const slow = 'endpoints: [{ does: slow, by: 3s, share: 25%, of: endpoints }]';
  const patient = run(slow, { timeout: '4s' });
  assert.deepEqual([patient.ledger.missed, patient.ledger.duplicated], [0, 0]);
  const hasty = run(slow, { timeout: '2s', retries: ['1s', '1s'] });
  assert.deepEqual([hasty.ledger.missed, hasty.ledger.duplicated], [0, 200 * among], 'two of each');
  assert.equal(hasty.wholeTrial!.answersLost, 300 * among);
});

test('an outage is outlasted by a schedule that is long enough; the other one has dead letters', () => {
  const outage = 'endpoints: [{ does: fail, status: 503, at: 20s, for: 10m }]';
  const long = run(outage, { retries: ['1m', '5m', '10m'], jitter: '0%' });
  assert.equal(long.ledger.missed, 0);
  // What is published while they are away is tried after 1, 6 and 16 minutes.
  assert.deepEqual(
    long.latencyByAttempt!.map(({ attempt }) => attempt),
    [1, 4],
  );
  const latest = quantileUs(long.latency.endToEnd, 1)!;
  assert.ok(latest >= 16 * minuteUs && latest < 16 * minuteUs + 1e6, `${latest}`);
  assert.ok(long.ledger.reordered === 0 && Math.max(...long.backlog!.depth) >= 3000);
  const short = run(outage, { retries: ['1m', '5m'], jitter: '0%' });
  assert.equal(short.ledger.missed, 3200, 'all of 80 s');
  assert.match(
    short.notes![0]!.message,
    /3,200 deliveries given up after the last attempt; the warm-up's are among them\.$/,
  );
  assert.ok(!short.saturated);
});

test('retries that come in between are out of order, but for fifo, where the others wait', () => {
  const failing = 'endpoints: [{ does: fail, share: 5% }]';
  const options = { retries: ['3s', '3s', '3s', '3s', '3s', '3s', '3s'], jitter: '0%' };
  assert.ok(run(failing, options).ledger.reordered > 100);
  const ordered = run(failing, { ...options, fifo: true });
  assert.deepEqual([ordered.ledger.missed, ordered.ledger.reordered], [0, 0]);
});

test('a breaker spares an endpoint that is down most of the requests', () => {
  const outage = 'endpoints: [{ does: fail, at: 0s, for: 100s, share: 25%, of: endpoints }]';
  const options = { retries: ['20s', '20s', '20s', '20s', '20s', '20s', '20s'], jitter: '0%' };
  const [without, sparing] = [run(outage, options), run(outage, { ...options, breaker: true })];
  assert.ok(sparing.wholeTrial!.retries < without.wholeTrial!.retries / 3);
  assert.match(sparing.notes!.map(({ message }) => message).join(), new RegExp(`opened ${among} times`));
  assert.equal(sparing.ledger.missed, 0);
});

test('an endpoint that is disabled, or is too far behind, gets nothing more', () => {
  const gone = run('endpoints: [{ does: fail, status: 410, at: 50s, share: 25%, of: endpoints }]');
  assert.equal(gone.ledger.missed, 50 * among, 'those of the last 50 s');
  assert.match(gone.notes![0]!.message, /deliveries cancelled because an endpoint was disabled/);
  const behind = (slow: string) =>
    run(`server: { slow: ${slow}, slowBuffer: 10KiB }\nendpoints: [{ does: fail, for: 100s, at: 0s }]`, {
      retries: ['2m'],
    });
  const [cut, dropped] = [behind('disconnect'), behind('drop')];
  assert.deepEqual([cut.counters.slowDisconnects, cut.ledger.delivered], [40, 0]);
  assert.ok(dropped.ledger.delivered > 0 && dropped.counters.slowDrops === dropped.ledger.missed);
});

test('in the handler each endpoint is called once, one after the other, while the publisher waits', () => {
  const slow = 'endpoints: [{ does: slow, by: 50ms, share: 100% }]';
  const queued = run(slow);
  const { ledger, latency, wholeTrial } = run(slow, { delivery: 'sync' });
  assert.deepEqual([ledger.delivered, wholeTrial!.retries], [4000, 0]);
  assert.equal(queued.latency.publishRoundTrip, undefined);
  const tookUs = quantileUs(latency.publishRoundTrip!, 0)!;
  assert.ok(tookUs > 500_000 && tookUs < 600_000, `ten endpoints of 50 ms: ${tookUs}`);
  const failing = run('endpoints: [{ does: fail, share: 100%, of: endpoints }]', { delivery: 'sync' });
  assert.equal(failing.ledger.missed, 4000);
});

test('the clock of retries may run faster', () => {
  const outage = 'endpoints: [{ does: fail, at: 20s, for: 10s }]';
  const { ledger, latency } = run(outage, { retries: ['10m'], jitter: '0%', timeScale: 60 });
  assert.equal(ledger.missed, 0);
  const latest = quantileUs(latency.endToEnd, 1)!;
  assert.ok(latest >= 10e6 && latest < 10.1e6, `${latest}`);
});

test('who is asked for more than it can is saturated, who works off a backlog is not', () => {
  const profile = profileOf({ ...steadyMachine, cpuUs: 0, eachCpuUs: 1000, eachUs: 1000 });
  const asked = { pattern: 'webhook', profile };
  const rate = (perS: number) =>
    scenarioOf(
      `question: Too much?\nsubscribers: 40\ntopics: { orders: { publish: ${perS}/s } }\n` +
        'phases: { measure: 60s, drain: 30m }\nvariants: [webhook]\n' +
        'endpoints: [{ does: fail, at: 10s, for: 20s }]\n',
    );
  const calm = simulated({ ...asked, scenario: rate(15), options: { retries: ['30s'], jitter: '0%' } });
  assert.deepEqual([calm.saturated, calm.ledger.missed], [false, 0]);
  const full = simulated({ ...asked, scenario: rate(40), options: { retries: ['30s'] } });
  assert.ok(full.saturated && full.server.askedShare > 1);
});

test('what no model knows is named', () => {
  const of = (options: Record<string, unknown>, more = '') =>
    models['webhook']!.cannot!(
      variantOf(patterns, 'webhook', patterns.webhook.options.parse(options)),
      hooks(more),
    );
  assert.equal(of({}), undefined);
  assert.match(of({ store: 'redis' })!, /store: redis .* store: sqlite has a model/);
  assert.match(of({ resequence: '1s' })!, /resequence/);
  assert.match(of({}, 'server: { slow: coalesce }')!, /--set server\.slow=drop/);
});

test.for(schemeNames)('a request signed as %s has as many bytes as the model says', (name) => {
  const scheme = schemes[name];
  const body = JSON.stringify({ id: 'eeeeee-77', body: 'x'.repeat(300) });
  const [id, topic] = ['eeeeee-77', 'orders.3'];
  const headers = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...scheme.sign([scheme.key(scheme.newSecret())], { id, topic, timestampS: 1_795_435_200, body }),
    'pushbench-attempt': '1',
    Host: '127.0.0.1:40000',
    Connection: 'keep-alive',
  };
  const head = Object.entries(headers).map(([field, value]) => `${field}: ${value}\r\n`);
  const request = `POST /hook/7 HTTP/1.1\r\n${head.join('')}\r\n${body}`;
  const bytes = createRequestBytes(
    name,
    1,
  )({
    bodyBytes: body.length,
    idBytes: id.length,
    topicBytes: topic.length,
  });
  assert.equal(bytes, request.length);
  assert.equal(meanDigits(11), 12 / 11);
});
