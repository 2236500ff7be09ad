// The queue of the webhook model: the real dispatch in virtual time, against queueing theory, against the
// same dispatch driven in the plainest way, and for what must hold whatever happens.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { exponential, random } from '../../../../core/base/random.ts';
import { nextWaitMs, retryPolicyOf } from '../../../../core/policy/webhook/retry-policy.ts';
import { simulate } from '../../../core/policy/webhook/pending-in-memory.ts';
import { drive, failed, taken, type Made } from './drive.ts';

const seconds = 1e6;

/** The mean wait of M/M/k, as a multiple of the mean service time (Erlang C). */
function erlangWait(k: number, load: number): number {
  const offered = k * load;
  let term = 1;
  let sum = 1;
  for (let i = 1; i < k; i++) sum += term *= offered / i;
  const last = ((term * offered) / k) * (1 / (1 - load));
  return last / (sum + last) / (k * (1 - load));
}

test.for([
  [1, 0.6],
  [4, 0.8],
  [8, 0.8],
] as const)('M/M/%d at a load of %d: the mean wait is that of Erlang C', ([k, load]) => {
  const waits = Array.from({ length: 30 }, (_, seed) => {
    const [arrivals, work] = [random(seed + 1, 'arrivals'), random(seed + 1, 'work')];
    const meanUs = 10_000;
    const options = { concurrency: k, endpointConcurrency: k };
    const { publish, run, made } = drive(1, options, () => ({
      tookUs: Math.round(exponential(work, meanUs)),
      answer: taken,
    }));
    const plannedUs: number[] = [];
    let atUs = 0;
    for (let i = 0; i < 5000; i++) {
      atUs += exponential(arrivals, meanUs / (k * load));
      plannedUs.push(Math.round(atUs));
      publish(Math.round(atUs));
    }
    run(Math.round(atUs) + 1000 * seconds);
    return made.reduce((sum, one) => sum + one.atUs - plannedUs[one.id - 1]!, 0) / made.length / meanUs;
  });
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  const variance = waits.reduce((sum, wait) => sum + (wait - mean) ** 2, 0) / (waits.length - 1);
  const half = 2.756 * Math.sqrt(variance / waits.length); // Student's t at 99.5 %, 29 degrees of freedom
  const theory = erlangWait(k, load);
  assert.ok(half < theory * 0.2, `${half} is too wide to tell ${theory} from others`);
  assert.ok(Math.abs(mean - theory) <= half, `${mean} +- ${half} for ${theory}`);
});

test('attempts are those of the dispatch driven over lists in memory, to the microsecond', () => {
  const policy = retryPolicyOf([1000, 5000, 30_000], 0);
  const downMs = (endpoint: number) => (endpoint % 2 === 0 ? 8000 : 0);
  // No two end at one time: which of them goes on first is nobody's rule.
  const tookMs = (id: number, attempts: number) => 20 + id / 1000 + attempts / 5;
  const options = { concurrency: 3, endpointConcurrency: 2, retries: ['1s', '5s', '30s'], jitter: '0%' };
  const ours = drive(4, options, ({ id, endpoint, attempts }, nowUs) => ({
    tookUs: Math.round(tookMs(id, attempts) * 1000),
    answer: nowUs / 1000 < downMs(endpoint) ? failed : taken,
  }));
  const plain = simulate(3, ({ id, endpoint, attempts }, atMs) => {
    const took = tookMs(id, attempts);
    const waitMs = nextWaitMs(policy, attempts + 1, () => 0.5);
    if (atMs >= downMs(endpoint) || waitMs === undefined) return { tookMs: took };
    const endMs = atMs + took;
    return { tookMs: took, againAfterMs: Math.ceil(endMs + waitMs) - endMs };
  });
  for (let endpoint = 0; endpoint < 4; endpoint++) plain.open(endpoint, { concurrency: 2 });
  for (let atMs = 0; atMs < 4000; atMs += 37) {
    ours.publish(atMs * 1000);
    plain.run(atMs);
    for (let endpoint = 0; endpoint < 4; endpoint++) plain.add(plain.store(endpoint));
  }
  ours.run(100 * seconds);
  plain.run(100_000);
  assert.ok(ours.made.length > 500);
  assert.deepEqual(
    ours.made.map(({ id, atUs, attempt }) => [id, atUs, attempt]),
    plain.made.map(({ task, atMs }) => [task.id, Math.round(atMs * 1000), task.attempts + 1]),
  );
});

const answers = fc.constantFrom(taken, taken, failed, {
  kind: 'failed',
  reason: 'timed out',
  timedOut: true,
} as const);

test('whatever receivers do, every delivery has one end, and no cap is exceeded', () => {
  fc.assert(
    fc.property(
      fc.record({
        endpoints: fc.integer({ min: 1, max: 4 }),
        concurrency: fc.integer({ min: 1, max: 6 }),
        endpointConcurrency: fc.integer({ min: 1, max: 4 }),
        fifo: fc.boolean(),
        breaker: fc.boolean(),
        disable: fc.constantFrom('never', 'after-100-failures'),
        retries: fc.array(fc.constantFrom('0s', '10ms', '1s', '20s'), { maxLength: 4 }),
        gaps: fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 60 }),
        took: fc.array(fc.tuple(fc.integer({ min: 0, max: 200_000 }), answers), {
          minLength: 1,
          maxLength: 7,
        }),
        slowBuffer: fc.constantFrom(150, 1000, 1_000_000),
        slow: fc.constantFrom('drop', 'disconnect'),
        untilUs: fc.integer({ min: 0, max: 200 * seconds }),
      }),
      ({ endpoints, gaps, took, slowBuffer, slow, untilUs, ...options }) => {
        let calls = 0;
        const script = () => {
          const [tookUs, answer] = took[calls++ % took.length]!;
          return { tookUs, answer };
        };
        const { publish, run, made, settling, mostUnderWay } = drive(endpoints, options, script, {
          slowBuffer,
          slow,
        });
        let atUs = 0;
        for (const gap of gaps) publish((atUs += gap));
        run(Math.max(untilUs, atUs + 1));
        const counts = settling.counts();
        const { delivered, cancelled, dropped, pending } = counts;
        assert.equal(delivered + counts['given-up'] + cancelled + dropped + pending, gaps.length * endpoints);
        assert.ok(mostUnderWay() <= options.concurrency);
        for (const own of Map.groupBy(made, ({ endpoint }) => endpoint).values()) {
          const most = options.fifo ? 1 : options.endpointConcurrency;
          assert.ok(overlap(own) <= most, 'an endpoint has more under way than it may');
          if (options.fifo) assert.ok(isInOrder(own), 'with fifo one overtook another');
        }
      },
    ),
    { numRuns: 100 },
  );
});

/** The most that are under way at once; one that ends as another begins is over. */
function overlap(made: readonly Made[]): number {
  const steps = made
    .flatMap(({ atUs, tookUs }) =>
      tookUs === 0
        ? []
        : [
            { atUs, by: 1 },
            { atUs: atUs + tookUs, by: -1 },
          ],
    )
    .sort((a, b) => a.atUs - b.atUs || a.by - b.by);
  let [now, most] = [0, 0];
  for (const { by } of steps) most = Math.max(most, (now += by));
  return most;
}

function isInOrder(made: readonly Made[]): boolean {
  return made.every((one, i) => i === 0 || one.id >= made[i - 1]!.id);
}
