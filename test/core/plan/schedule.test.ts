// Plans several groups of topics together: their order, their topics and bodies, their totals, and how many
// events are too many.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import type { PublishPlan } from '../../../core/plan/publish-plan.ts';
import { planPublishing, scheduleOf, type Sources } from '../../../core/plan/schedule.ts';
import { maxEvents } from '../../../core/plan/trace.ts';
import { trafficOf } from '../../../core/plan/traffic.ts';
import type { Arrivals, TopicGroup } from '../../../core/scenario/scenario.ts';
import { followersOf, planTopics } from '../../../core/scenario/topics.ts';
import { alone, noFiles, scenario } from './planned.ts';

describe('the plan', () => {
  const three = (rate: number) =>
    ({
      a: { publish: { kind: 'poisson', perS: 40 }, count: 3 },
      b: { publish: { kind: 'constant', perS: rate }, count: 2 },
      c: {
        publish: { kind: 'poisson', perS: 40 },
        count: 4,
        payload: { kind: 'corpus', from: 'bodies.json' },
      },
    }) satisfies Parameters<typeof scenario>[0];
  const sources: Sources = { ...noFiles, corpusOf: () => ['"a"', '"b"', '"c"'] };
  const eventsOf = (plan: PublishPlan, first: number, last: number) =>
    Array.from(plan.offsetUs, (atUs, i) => [atUs, plan.topic[i]!, plan.body[i]!] as const).filter(
      ([, topic]) => topic >= first && topic <= last,
    );

  test('the same seed gives the same plan, another one another', () => {
    const plan = (seed: number) => planPublishing(scenario(three(20), { seed }), sources);
    assert.deepEqual(plan(5), plan(5));
    assert.notDeepEqual(plan(5), plan(6));
  });

  test('changing one group leaves the events of the others as they were', () => {
    const [before, after] = [
      planPublishing(scenario(three(20)), sources),
      planPublishing(scenario(three(90)), sources),
    ];
    assert.deepEqual(eventsOf(after, 0, 2), eventsOf(before, 0, 2));
    assert.deepEqual(eventsOf(after, 5, 8), eventsOf(before, 5, 8));
    assert.equal(eventsOf(after, 3, 4).length, 5 * 90);
  });

  test('keeps the order of the groups where times are equal', () => {
    const group = { publish: { kind: 'trace', file: 't' } } satisfies Partial<TopicGroup>;
    const plan = planPublishing(scenario({ a: group, b: group, c: group }, { warmupMs: 0 }), {
      ...noFiles,
      traceOf: () => '0,1\n1,1',
    });
    assert.deepEqual([...plan.topic], [0, 1, 2, 0, 1, 2]);
  });

  test('is ascending in time', () => {
    const { offsetUs } = planPublishing(scenario(three(50)), sources);
    for (let i = 1; i < offsetUs.length; i++) assert.ok(offsetUs[i - 1]! <= offsetUs[i]!);
  });

  test(
    'deals the topics of a group: each gets as many events of a phase ' +
      'as the others, to within one, in no fixed order',
    () => {
      const plan = planPublishing(
        scenario(
          { p: { publish: { kind: 'constant', perS: 25 }, count: 'per-subscriber' } },
          { subscribers: 30 },
        ),
        noFiles,
      );
      const from = plan.offsetUs.findIndex((atUs) => atUs >= 1e6);
      assert.equal(plan.topic.length - from, 100);
      const counts = Array.from({ length: 30 }, () => 0);
      for (const topic of plan.topic.subarray(from)) counts[topic]!++;
      // 100 events over 30 topics: ten topics get four, twenty get three.
      assert.deepEqual(
        counts.toSorted((a, b) => b - a),
        [...Array(10).fill(4), ...Array(20).fill(3)],
      );
      const rounds = [0, 30, 60].map((at) => [...plan.topic.subarray(from + at, from + at + 30)]);
      for (const round of rounds) assert.equal(new Set(round).size, 30);
      assert.notDeepEqual(rounds[0], rounds[1]);
      assert.notDeepEqual(
        rounds[0],
        rounds[0]!.toSorted((a, b) => a - b),
      );
    },
  );

  test('deals the bodies of a corpus, each corpus kept once', () => {
    const group = {
      publish: { kind: 'constant', perS: 3 },
      payload: { kind: 'corpus', from: 'bodies.json' },
    } as const;
    const other = {
      publish: { kind: 'constant', perS: 2 },
      payload: { kind: 'corpus', from: 'other.json' },
    } as const;
    const corpora: Record<string, string[]> = { 'bodies.json': ['1', '2', '3'], 'other.json': ['4', '5'] };
    const plan = planPublishing(scenario({ a: group, b: group, c: other }, { warmupMs: 0 }), {
      ...noFiles,
      corpusOf: (from) => corpora[from]!,
    });
    assert.deepEqual(plan.corpus, ['1', '2', '3', '4', '5']);
    const bodies = (topic: number) => [...plan.body].filter((_, i) => plan.topic[i] === topic).toSorted();
    assert.deepEqual([0, 1, 2].map(bodies), [
      [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
      [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
      [3, 3, 3, 3, 4, 4, 4, 4],
    ]);
  });

  test("a group's payload goes before the scenario's, and before a trace's sizes", () => {
    const traceOf = () => '0,100';
    const payload = { kind: 'size', sizeBytes: 7 } as const;
    const plan = planPublishing(
      scenario(
        {
          a: { publish: { kind: 'trace', file: 't' } },
          b: { publish: { kind: 'trace', file: 't' }, payload },
          c: { publish: { kind: 'constant', perS: 0.25 } },
        },
        { warmupMs: 0 },
      ),
      { ...noFiles, traceOf },
    );
    assert.deepEqual(
      [0, 1, 2].map((topic) => plan.body[plan.topic.indexOf(topic)]),
      [-100, -7, -256],
    );
  });

  test('its totals count each measured event once for each follower of its topic', () => {
    // 4 s at 5/s to one topic that all ten follow, and 4 s at 4/s to four topics of which each follows one.
    const s = scenario({
      all: { publish: { kind: 'constant', perS: 5 } },
      some: { publish: { kind: 'constant', perS: 4 }, count: 4 },
    });
    // Ten subscribers over four topics: 3, 3, 2, 2; each topic gets four of the sixteen events.
    const { events, deliveries } = trafficOf(planPublishing(s, noFiles), s);
    assert.deepEqual([events, deliveries], [36, 20 * 10 + 4 * (3 + 3 + 2 + 2)]);
  });

  test('its totals agree with counting follower by follower', () => {
    const arbitrary = fc.record({
      subscribers: fc.integer({ min: 1, max: 40 }),
      count: fc.integer({ min: 1, max: 9 }),
      follow: fc.integer({ min: 1, max: 12 }),
      perS: fc.integer({ min: 0, max: 30 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ subscribers, count, follow, perS }) => {
        const s = scenario({ g: { publish: { kind: 'poisson', perS }, count, follow } }, { subscribers });
        const plan = planPublishing(s, noFiles);
        const topics = [...plan.topic].filter((_, i) => plan.offsetUs[i]! >= 1e6);
        const deliveries = topics.reduce(
          (sum, topic) => sum + followersOf(planTopics(s), topic, subscribers),
          0,
        );
        const traffic = trafficOf(plan, s);
        assert.deepEqual([traffic.events, traffic.deliveries], [topics.length, deliveries]);
      }),
    );
  });

  test('is the same event by event, as often as it is gone through, and takes no memory', () => {
    const mixed = scenario({
      a: { publish: { kind: 'poisson', perS: 300 }, count: 7 },
      b: { publish: { kind: 'bursts', size: 5, everyMs: 40 }, payload: { kind: 'corpus', from: 'bodies' } },
      c: { publish: { kind: 'stages', stages: [{ rate: 10, to: 900, for: 3000 }] }, count: 3 },
    });
    const files: Sources = { ...noFiles, corpusOf: () => ['one', 'two', 'three'] };
    const plan = planPublishing(mixed, files);
    const { events, corpus } = scheduleOf(mixed, files);
    for (let time = 0; time < 2; time++) {
      const all = [...events];
      assert.deepEqual(
        all.map(({ offsetUs, topic, body }) => [offsetUs, topic, body]),
        [...plan.topic].map((topic, i) => [plan.offsetUs[i], topic, plan.body[i]]),
      );
    }
    assert.deepEqual(corpus, plan.corpus);
    // Ten million times as many as can be planned.
    const endless = scenario(
      { news: { publish: { kind: 'constant', perS: 1e6 } } },
      { warmupMs: 0, measureMs: 2e11 },
    );
    let [seen, lastUs] = [0, -1];
    for (const { offsetUs } of scheduleOf(endless, noFiles).events) {
      assert.ok(offsetUs > lastUs);
      lastUs = offsetUs;
      if (++seen === 1000) break;
    }
    assert.equal(seen, 1000);
  });

  test('more events than can be held are refused, with the figure and what to change', () => {
    const publish = (perS: number) =>
      scenario(
        { few: { publish: { kind: 'constant', perS: 1 } }, many: { publish: { kind: 'poisson', perS } } },
        { warmupMs: 0, measureMs: 10_000 },
      );
    assert.throws(
      () => planPublishing(publish(maxEvents / 10), noFiles),
      (error) =>
        error instanceof UserError &&
        error.code === 'schedule-too-large' &&
        error.message ===
          'the schedule has 20,000,010 events, most of them of topic "many", where at most 20,000,000 can ' +
            'be planned: lower its rate, or shorten phases.warmup or phases.measure',
    );
    // A ramp of 10,000,000/s each second, cut off after 3 s: half of 10,000,000 x 3 x 3.
    const ramp = { kind: 'stages', stages: [{ rate: 0, to: 4e7, for: 4000 }] } satisfies Arrivals;
    assert.throws(() => alone(ramp, { warmupMs: 0, measureMs: 3000 }), /the schedule has 45,000,000 events/);
    assert.throws(() => alone({ kind: 'bursts', size: 1, everyMs: 0 }), { code: 'schedule-too-large' });
    assert.throws(() => alone({ kind: 'stages', stages: [{ rate: 0, to: 1e9, for: 4000 }] }), {
      code: 'schedule-too-large',
    });
  });
});
