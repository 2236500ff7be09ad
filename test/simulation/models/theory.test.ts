// Holds the simulator against formulas: what is simulated lies within its own 99 % interval of what queueing
// theory says, over independent repetitions with fixed seeds.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { exponential, random, type Random } from '../../../core/base/random.ts';
import { meanUs, quantileUs } from '../../../core/result/histogram.ts';
import { createServer } from '../../../simulation/models/server.ts';
import { profileOf, scenarioOf, simulated, steadyMachine } from '../fixture.ts';

const repetitions = 30;
/** Student's t at 99.5 % with 29 degrees of freedom. */
const t995 = 2.756;

function interval(of: (seed: number) => number): { mean: number; half: number } {
  const values = Array.from({ length: repetitions }, (_, i) => of(i + 1));
  const mean = values.reduce((sum, value) => sum + value, 0) / repetitions;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (repetitions - 1);
  return { mean, half: t995 * Math.sqrt(variance / repetitions) };
}

function assertWithin({ mean, half }: { mean: number; half: number }, theory: number): void {
  assert.ok(half < theory * 0.05, `${half} is too wide an interval to tell ${theory} from others`);
  assert.ok(Math.abs(mean - theory) <= half, `${mean} +- ${half} for ${theory}`);
}

/** The mean wait of jobs that come at random at a server, whose work has a mean of 1. */
function meanWait(load: number, workOf: (next: Random) => number): (seed: number) => number {
  return (seed) => {
    const [arrivals, work] = [random(seed, 'arrivals'), random(seed, 'work')];
    const server = createServer();
    const jobs = 40_000;
    let [atUs, waited] = [0, 0];
    for (let i = 0; i < jobs; i++) {
      atUs += exponential(arrivals, 1 / load);
      waited += server.serve(atUs, workOf(work)) - atUs;
    }
    return waited / jobs;
  };
}

test.for([0.3, 0.5, 0.8])('M/M/1 at a load of %d', (load) => {
  assertWithin(interval(meanWait(load, (next) => exponential(next, 1))), load / (1 - load));
});

test.for([0.3, 0.5, 0.8])('M/D/1 at a load of %d', (load) => {
  assertWithin(interval(meanWait(load, () => 1)), load / (2 * (1 - load)));
});

test('Pollaczek and Khinchine, of work that is short or long', () => {
  const load = 0.6;
  const workOf = (next: Random) => (next() < 0.9 ? 0.5 : 5.5); // mean 1, mean of squares 3.25
  assertWithin(interval(meanWait(load, workOf)), (load * 3.25) / (2 * (1 - load)));
});

const topic = (rate: string, subscribers: number, measure: string) =>
  scenarioOf(
    `question: What does theory say?\nsubscribers: ${subscribers}\ntopics:\n  news: { publish: ${rate} }\n` +
      `phases: { measure: ${measure}, warmup: 2s }\nvariants: [sse]\n`,
  );

test('a stream is M/D/1 where events come at random and cost the same', () => {
  // 1,000 receivers take the server 9 us each and 60 us once: 9,060 us.
  const latencyUs = steadyMachine.firstUs + steadyMachine.eachUs * 499.5;
  const load = 50 * 0.00906;
  const profile = profileOf({ ...steadyMachine, subscribers: [1000], perS: [50] });
  const wait = interval((seed) => {
    const scenario = { ...topic('{ poisson: 50/s }', 1000, '60s'), seed };
    return meanUs(simulated({ scenario, pattern: 'sse', profile, seed }).latency.endToEnd)! - latencyUs;
  });
  assertWithin(wait, (load * 9060) / (2 * (1 - load)));
});

test('a poll is waited for evenly: half the interval in the mean, and its share at each quantile', () => {
  const answerUs = 400;
  const profile = profileOf({ ...steadyMachine, eachUs: 0 });
  const latencyOf = (seed: number, jitter: string) => {
    const scenario = { ...topic('{ poisson: 1/s }', 50, '300s'), seed };
    return simulated({ scenario, pattern: 'polling', options: { every: '2s', jitter }, profile, seed })
      .latency.endToEnd;
  };
  assertWithin(
    interval((seed) => meanUs(latencyOf(seed, '0%'))!),
    1_000_000 + answerUs,
  );
  for (const share of [0.1, 0.5, 0.9, 0.99]) {
    const of = interval((seed) => quantileUs(latencyOf(seed, '0%'), share)!);
    assert.ok(of.half < share * 20_000, `${of.half} is more than a percent`);
    // A bin of the histogram is up to a thousandth wide, and its upper end is what is read.
    assert.ok(
      Math.abs(of.mean - (share * 2_000_000 + answerUs)) < share * 2_000_000 * 0.0015 + of.half,
      `${of.mean}`,
    );
  }
  // The mean of what is left of a wait at random: E(X^2) / 2 E(X), of X even between 1 -+ j.
  assertWithin(
    interval((seed) => meanUs(latencyOf(seed, '50%'))!),
    1_000_000 * (1 + 0.5 ** 2 / 3) + answerUs,
  );
});

test('requests of a long poll for each message, by the gap between an answer and the next request', () => {
  // The server answers at once what came in the gap, so that messages of one gap share a request and cost one
  // nonetheless: 1 / (1 + m g) is of servers that hold those back until the next message comes.
  const latencyUs = 40_000;
  const profile = profileOf({ ...steadyMachine, firstUs: latencyUs, eachUs: 0 });
  for (const perS of [2, 10, 40]) {
    const afterHeld = (perS * 1.5 * latencyUs) / 1e6; // there, back, and there again
    const afterGap = (perS * latencyUs) / 1e6;
    const more = (1 - Math.exp(-afterHeld)) / Math.exp(-afterGap);
    const theory = (1 + more) / (1 + afterHeld + more * afterGap);
    const share = interval((seed) => {
      const scenario = { ...topic(`{ poisson: ${perS}/s }`, 1, '300s'), seed };
      const { counters } = simulated({ scenario, pattern: 'long-polling', profile, seed });
      return counters.fullPolls / counters.events;
    });
    assertWithin(share, theory);
  }
});
