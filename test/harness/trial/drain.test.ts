// Holds in virtual time that a drain ends as soon as every expected delivery has come, everybody is back and
// every fault is done, and not before, and at its limit at the latest; and which events are expected at all.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { EventNumber, PublisherReport } from '../../../core/protocol/control.ts';
import type { TrialPlan } from '../../../harness/plan/plan.ts';
import { drain } from '../../../harness/trial/drain.ts';
import type { PlayedFault } from '../../../harness/trial/faults.ts';
import { startSampling } from '../../../harness/trial/sampling.ts';
import { planOf } from './readings.ts';
import { doneWith, loadSample, stageOf, type ScriptedStage } from './scripted-stage.ts';

type Done = Extract<PublisherReport, { kind: 'done' }>;

/**
 * Drains after a measured phase that ended at this moment, or `lateMs` ago.
 * @param deliveredAt what each load process has got so many milliseconds after the drain began
 */
async function drained(
  deliveredAt: (ms: number, index: number) => number,
  {
    plan = planOf(),
    done = doneWith(plan),
    lateMs = 0,
    comingAt = () => 0,
    unfinishedAt = () => false,
  }: Partial<DrainOptions> = {},
) {
  const scripted: ScriptedStage = stageOf(plan, {
    load: {
      sample: (_, inbox, index) => {
        const ms = (scripted.world.clock.nowUs() - startUs) / 1000;
        inbox.deliver(loadSample(scripted.world, 5, deliveredAt(ms, index), comingAt(ms)));
      },
    },
  });
  const startUs = scripted.world.clock.nowUs();
  const toUs = startUs - lateMs * 1000;
  const window = { warmupFromUs: toUs - 11e6, fromUs: toUs - 10e6, toUs, slotUs: 250_000 };
  const sampling = startSampling(scripted.stage.peers, window, 'self');
  const playing = {
    begun: Promise.resolve(),
    soFar: (): PlayedFault[] =>
      unfinishedAt((scripted.world.clock.nowUs() - startUs) / 1000) ? [{ ...restart, unfinished: true }] : [],
  };
  const result = await drain(scripted.stage, window, { done, playing }, sampling);
  return { ...result, scripted, tookMs: (scripted.world.clock.nowUs() - startUs) / 1000 };
}
type DrainOptions = {
  plan: TrialPlan;
  done: Done;
  lateMs: number;
  /** How many of each load process are still trying to come back, so many ms after the beginning. */
  comingAt: (ms: number) => number;
  /** Whether a fault is still under way then. */
  unfinishedAt: (ms: number) => boolean;
};
const restart: PlayedFault = { fault: { kind: 'restart', atMs: 1000, servers: 1 }, atUs: 0, tookUs: 0 };

test('ends when the last delivery has come, which it asks for every 50 ms', async () => {
  const { drainUs, scripted } = await drained((ms, i) => (i === 0 || ms >= 120 ? 5000 : 4999));
  // Asked for at 150 ms, seen 50 ms later.
  assert.equal(drainUs, 200_000);
  const asked = scripted.told.filter(({ command }) => command.kind === 'sample').map(({ name }) => name);
  assert.deepEqual(asked, Array(4).fill(['load 1', 'load 2']).flat());
});

test('and when everybody is back and every fault done, which is no later for the deliveries', async () => {
  const away = await drained(() => 5000, { comingAt: (ms) => (ms < 290 ? 1 : 0) });
  assert.deepEqual([away.drainUs, away.tookMs], [50_000, 350]);
  const deploying = await drained(() => 5000, { unfinishedAt: (ms) => ms < 230 });
  assert.deepEqual([deploying.drainUs, deploying.tookMs], [50_000, 250]);
  const never = await drained(() => 5000, { comingAt: () => 1 });
  assert.deepEqual([never.drainUs, never.tookMs], [50_000, 2000]);
});

test('with one delivery lacking it waits until its limit', async () => {
  const { drainUs, scripted } = await drained((_, i) => (i === 0 ? 5000 : 4999));
  assert.equal(drainUs, 2_000_000);
  const [first, ...rest] = scripted.progress;
  assert.deepEqual(
    [first!.phase, first!.share, first!.published, first!.delivered],
    ['drain', 0.025, 1100, 9999],
  );
  assert.equal(rest.at(-1)!.share, 1);
});

test('the limit counts from the end of the measured phase, however late the publisher was done', async () => {
  const { drainUs, tookMs } = await drained(() => 0, { lateMs: 1500 });
  assert.deepEqual([drainUs, tookMs], [2_000_000, 500]);
  const over = await drained(() => 0, { lateMs: 5000 });
  assert.deepEqual([over.drainUs, over.tookMs], [5_050_000, 50], 'one look at what is there');
  assert.equal(over.scripted.progress[0]!.share, 1);
});

test('events of the warm-up are not counted', async () => {
  const { ranges } = await drained(() => 5000);
  assert.deepEqual(ranges, [{ first: 101, last: 1100 }]);
});

/**
 * One topic for all ten, and four rooms of which each follows one: rooms 0 and 1 have three followers, the
 * others two. The first two events are of the warm-up, the third is planned at its very end, and two of the
 * later ones the server did not take.
 */
function rooms(unconfirmed: EventNumber[] = []): { plan: TrialPlan; done: Done } {
  const topics = { news: { publish: '1/s' }, room: { count: 4, publish: '1/s' } };
  const events = [
    [0, 0, 1],
    [999_999, 1, 1],
    [1_000_000, 0, 5],
    [2_000_000, 0, 3],
    [3_000_000, 0, 0],
    [4_000_000, 1, 2],
    [5_000_000, 1, 0],
    [6_000_000, 3, 7],
  ] as const;
  const plan: TrialPlan = {
    ...planOf({ topics }),
    publish: {
      offsetUs: Float64Array.from(events, ([offsetUs]) => offsetUs),
      topic: Uint32Array.from(events, ([, topic]) => topic),
      body: new Int32Array(events.length),
      corpus: [],
    },
  };
  const seq = Int32Array.from(events, ([, , number]) => number);
  return { plan, done: { ...doneWith(plan, seq), unconfirmed } };
}

test('the range of a topic goes from its lowest to its highest number, whatever their order', async () => {
  const { ranges } = await drained(() => 5000, rooms());
  assert.deepEqual(ranges, [
    { first: 3, last: 5 },
    { first: 2, last: 2 },
    { first: 1, last: 0 },
    { first: 7, last: 7 },
    { first: 1, last: 0 },
  ]);
});

test('each event is expected once for each follower, and what nobody confirmed from nobody', async () => {
  const enough = async (deliveries: number, unconfirmed: EventNumber[]) => {
    const { drainUs } = await drained((_, i) => (i === 0 ? deliveries - 1 : 1), rooms(unconfirmed));
    return drainUs === 50_000;
  };
  // Three of ten followers, one of three, one of two.
  assert.deepEqual([await enough(34, []), await enough(35, [])], [false, true]);
  const inside = [
    { topic: 0, seq: 3 },
    { topic: 0, seq: 5 },
    { topic: 3, seq: 7 },
  ];
  assert.deepEqual([await enough(12, inside), await enough(13, inside)], [false, true]);
  const outside = [
    { topic: 0, seq: 2 },
    { topic: 0, seq: 6 },
    { topic: 2, seq: 1 },
  ];
  assert.deepEqual([await enough(34, outside), await enough(35, outside)], [false, true]);
  const { unconfirmed } = await drained(() => 5000, rooms(inside));
  assert.deepEqual(unconfirmed, inside);
});

test('nothing is waited for where nothing was published', async () => {
  const { plan, done } = rooms();
  const { drainUs } = await drained(() => 0, { plan, done: { ...done, seq: new Int32Array(8) } });
  assert.equal(drainUs, 50_000);
});
