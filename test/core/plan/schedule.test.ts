// When events are due: rates, bursts, random arrivals and traces, fixed before a trial starts.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { PublishPlan } from '../../../core/plan/publish-plan.ts';
import { UserError } from '../../../core/base/errors.ts';
import { random } from '../../../core/base/random.ts';
import type { Arrivals, TopicGroup } from '../../../core/scenario/scenario.ts';
import {
  maxEvents,
  measuredTotals,
  parseTrace,
  planPublishing,
  type ScheduledScenario,
  type Sources,
} from '../../../core/plan/schedule.ts';
import { followersOf, planTopics } from '../../../core/scenario/topics.ts';

const noFiles: Sources = {
  corpusOf: (from) => assert.fail(`no corpus was asked for, but ${from}`),
  traceOf: (file) => assert.fail(`no trace was asked for, but ${file}`),
};

type Changes = { seed?: number; subscribers?: number; warmupMs?: number; measureMs?: number };

function scenario(
  topics: Record<string, Partial<TopicGroup> & Pick<TopicGroup, 'publish'>>,
  changes: Changes = {},
): ScheduledScenario {
  const { seed = 1, subscribers = 10, warmupMs = 1000, measureMs = 4000 } = changes;
  return {
    seed,
    subscribers,
    payload: { kind: 'size', sizeBytes: 256 },
    phases: { connect: 0, warmup: warmupMs, measure: measureMs, drain: 0 },
    topics: Object.fromEntries(
      Object.entries(topics).map(([name, group]) => [name, { count: 1, follow: 1, ...group }]),
    ),
  };
}

const alone = (publish: Arrivals, changes?: Changes, sources = noFiles) =>
  planPublishing(scenario({ news: { publish } }, changes), sources);

/** Due times of the measured phase, in microseconds from its start. */
function measured(plan: PublishPlan, warmupMs: number): number[] {
  return Array.from(
    plan.offsetUs.filter((atUs) => atUs >= warmupMs * 1000),
    (atUs) => atUs - warmupMs * 1000,
  );
}

/** Where in its interval group `news` starts, as the seed has it. */
const phase = (seed: number) => random(seed, 'phase:news')();

describe('due times', () => {
  const rows: {
    reads: string;
    publish: Arrivals;
    changes: Changes;
    expectedUs: (phase: number) => number[];
  }[] = [
    {
      reads: '2/s for a second of warm-up and two measured: half a second apart, two and four of them',
      publish: { kind: 'constant', perS: 2 },
      changes: { warmupMs: 1000, measureMs: 2000 },
      expectedUs: (p) => [0, 0.5, 1, 1.5, 2, 2.5].map((s) => (s + p / 2) * 1e6),
    },
    {
      reads:
        'a warm-up of 0.75 s at 2/s holds one event, or two when the spacing ' +
        'starts late; the measured ones do not move',
      publish: { kind: 'constant', perS: 2 },
      changes: { warmupMs: 750, measureMs: 1000 },
      expectedUs: (p) => [-1, -0.5, 0, 0.5].map((s) => (0.75 + s + p / 2) * 1e6).filter((us) => us >= 0),
    },
    {
      reads: 'a rate of nought publishes nothing',
      publish: { kind: 'constant', perS: 0 },
      changes: {},
      expectedUs: () => [],
    },
    {
      reads:
        'bursts of three, every two seconds, in a measured phase of four: two bursts, all three at one time',
      publish: { kind: 'bursts', size: 3, everyMs: 2000 },
      changes: { warmupMs: 0, measureMs: 4000 },
      expectedUs: (p) => [0, 0, 0, 1, 1, 1].map((n) => (n + p) * 2e6),
    },
    {
      reads: 'a second at 2/s, then a second at 4/s, after half a second of warm-up at the first rate',
      publish: {
        kind: 'stages',
        stages: [
          { rate: 2, for: 1000 },
          { rate: 4, for: 1000 },
        ],
      },
      changes: { warmupMs: 500, measureMs: 2000 },
      expectedUs: (p) =>
        [-0.5 + p / 2, p / 2, 0.5 + p / 2, 1 + p / 4, 1.25 + p / 4, 1.5 + p / 4, 1.75 + p / 4].map(
          (s) => (0.5 + s) * 1e6,
        ),
    },
    {
      // The integral of 2t is t^2, so event n falls due at the root of n + phase; 9 of them in 3 s.
      reads: 'a ramp from nought to 6/s in three seconds',
      publish: { kind: 'stages', stages: [{ rate: 0, to: 6, for: 3000 }] },
      changes: { warmupMs: 1000, measureMs: 3000 },
      expectedUs: (p) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => (1 + Math.sqrt(n + p)) * 1e6),
    },
    {
      // The integral of 6 - 2t is 6t - t^2, so t = 3 - sqrt(9 - (n + phase)).
      reads: 'a ramp from 6/s down to nought in three seconds, and silence behind it',
      publish: { kind: 'stages', stages: [{ rate: 6, to: 0, for: 3000 }] },
      changes: { warmupMs: 0, measureMs: 10_000 },
      expectedUs: (p) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => (3 - Math.sqrt(9 - n - p)) * 1e6),
    },
    {
      reads: 'stages shorter than the measured phase: the last rate holds',
      publish: { kind: 'stages', stages: [{ rate: 10, to: 1, for: 0 }] },
      changes: { warmupMs: 0, measureMs: 3000 },
      expectedUs: (p) => [0, 1, 2].map((s) => (s + p) * 1e6),
    },
  ];
  for (const { reads, publish, changes, expectedUs } of rows) {
    test(reads, () => {
      for (const seed of [1, 2, 3]) {
        const plan = alone(publish, { ...changes, seed });
        const expected = expectedUs(phase(seed));
        assert.equal(plan.offsetUs.length, expected.length);
        // Whole microseconds: the first one not after the exact time, which the arithmetic may miss by 1.
        for (const [i, atUs] of plan.offsetUs.entries())
          assert.ok(Math.abs(atUs - expected[i]!) <= 1, `event ${i} at ${atUs}, not ${expected[i]}`);
      }
    });
  }

  test('a trace plays from the start of the measured phase, and its beginning once in the warm-up', () => {
    const traceOf = () => 'seconds,bytes\n0,100\n0.5,200\n0.5,300\n1.25,400\n3.999999,500\n4,600\n';
    const plan = alone({ kind: 'trace', file: 'a.csv' }, {}, { ...noFiles, traceOf });
    assert.deepEqual(
      [...plan.offsetUs],
      [0, 500_000, 500_000, 1_000_000, 1_500_000, 1_500_000, 2_250_000, 4_999_999],
    );
    assert.deepEqual([...plan.body], [-100, -200, -300, -100, -200, -300, -400, -500]);
  });

  test('a constant rate makes exactly rate x time events, evenly spaced, with any seed', () => {
    const arbitrary = fc.record({
      seed: fc.nat(),
      perS: fc.integer({ min: 1, max: 2000 }),
      seconds: fc.integer({ min: 1, max: 5 }),
      warmupMs: fc.nat({ max: 3000 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ seed, perS, seconds, warmupMs }) => {
        const times = measured(
          alone({ kind: 'constant', perS }, { seed, warmupMs, measureMs: seconds * 1000 }),
          warmupMs,
        );
        assert.equal(times.length, perS * seconds);
        for (const [i, atUs] of times.entries())
          assert.ok(Math.abs(atUs - times[0]! - (i * 1e6) / perS) <= 1);
        assert.ok(times[0]! < 1e6 / perS);
      }),
    );
  });

  test('stages make as many events as the integral of their rate, to within one', () => {
    const perS = fc.integer({ min: 0, max: 500 });
    const stage = fc.record({ rate: perS, to: perS, for: fc.integer({ min: 0, max: 3000 }) });
    fc.assert(
      fc.property(fc.nat(), fc.array(stage, { minLength: 1, maxLength: 5 }), (seed, stages) => {
        const integral = stages.reduce(
          (sum, { rate, to, for: ms }) => sum + (((rate + to) / 2) * ms) / 1000,
          0,
        );
        const measureMs = stages.reduce((sum, { for: ms }) => sum + ms, 0);
        const { length } = measured(alone({ kind: 'stages', stages }, { seed, measureMs }), 1000);
        assert.ok(Math.abs(length - integral) <= 1, `${length} events, integral ${integral}`);
      }),
    );
  });

  test('Poisson counts have the mean and the variance of their rate x time, and exponential gaps', () => {
    const runs = 400;
    const counts: number[] = [];
    const gaps: number[] = [];
    for (let seed = 0; seed < runs; seed++) {
      const times = measured(alone({ kind: 'poisson', perS: 50 }, { seed, measureMs: 2000 }), 1000);
      counts.push(times.length);
      for (let i = 1; i < times.length; i++) gaps.push(times[i]! - times[i - 1]!);
    }
    const mean = counts.reduce((a, b) => a + b, 0) / runs;
    const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (runs - 1);
    // Expected 100 and 100; the bounds are four standard errors: 10 / sqrt(400) and 100 * sqrt(2 / 400).
    assert.ok(Math.abs(mean - 100) < 2, `mean ${mean}`);
    assert.ok(Math.abs(variance - 100) < 28.3, `variance ${variance}`);
    // A share of 1/e of the gaps is longer than their mean of 20 ms; four standard errors of 40,000 draws.
    const longer = gaps.filter((us) => us > 20_000).length / gaps.length;
    assert.ok(Math.abs(longer - Math.exp(-1)) < 0.01, `share ${longer}`);
  });

  test('Poisson does not play the same in both phases', () => {
    const plan = alone({ kind: 'poisson', perS: 20 }, { warmupMs: 2000, measureMs: 2000 });
    assert.notDeepEqual(measured(plan, 2000).slice(0, 5), [...plan.offsetUs.subarray(0, 5)]);
  });

  test('what is measured does not depend on the length of the warm-up', () => {
    for (const publish of [
      { kind: 'constant', perS: 7 },
      { kind: 'poisson', perS: 7 },
      { kind: 'bursts', size: 2, everyMs: 700 },
    ] satisfies Arrivals[]) {
      assert.deepEqual(
        measured(alone(publish, { warmupMs: 300 }), 300),
        measured(alone(publish, { warmupMs: 2000 }), 2000),
      );
    }
  });
});

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
    assert.deepEqual(measuredTotals(planPublishing(s, noFiles), s), {
      events: 36,
      deliveries: 20 * 10 + 4 * (3 + 3 + 2 + 2),
    });
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
        assert.deepEqual(measuredTotals(plan, s), { events: topics.length, deliveries });
      }),
    );
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

describe('a trace', () => {
  test('reads seconds and bytes, with or without column names, any line ends, empty lines', () => {
    const expected = { offsetUs: Float64Array.of(0, 250_000, 250_000), sizeBytes: Int32Array.of(1, 512, 3) };
    assert.deepEqual(parseTrace('0,1\n0.25,512\n0.25,3', 't.csv'), expected);
    assert.deepEqual(parseTrace('Seconds, Bytes\r\n0 , 1\r\n\r\n0.250,512\r\n0.25,3\r\n', 't.csv'), expected);
  });

  const mistakes: [reads: string, text: string, message: string][] = [
    [
      'a line that is something else',
      '0,1\nsoon,big',
      't.csv:2: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'column names in the middle',
      '0,1\nseconds,bytes',
      't.csv:2: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'a time below zero',
      '-1,5\n1,5',
      't.csv:1: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
    ],
    [
      'a time that goes back',
      '2,1\n1,1',
      't.csv:2: the time lies before that of the line above; times must not go back',
    ],
    ['an empty body', '0,0', 't.csv:1: a body has 1 to 8,388,608 bytes, and this one has none'],
    [
      'a body that no buffer holds',
      '0,999999999999',
      't.csv:1: a body has 1 to 8,388,608 bytes, and this one has more',
    ],
    [
      'a time beyond any recording',
      `${'9'.repeat(400)},1`,
      't.csv:1: the time lies more than 31622400 s after the start',
    ],
    [
      'a file of another kind',
      'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:',
      't.csv is no trace: none of its lines is a time in seconds, ' +
        'a comma and a size in bytes, such as "0.25,512"',
    ],
    ['a file without events', 'seconds,bytes\n', 't.csv: no events; write a line "seconds,bytes" for each'],
    [
      'several mistakes',
      'x\n0,1\ny',
      't.csv:1: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"\n' +
        't.csv:3: this is not a time in seconds, a comma and a size in bytes, such as "0.25,512"',
    ],
  ];
  for (const [reads, text, message] of mistakes) {
    test(`refuses ${reads}, naming the line`, () => {
      assert.throws(
        () => parseTrace(text, 't.csv'),
        (error) => error instanceof UserError && error.code === 'trace-invalid' && error.message === message,
      );
    });
  }

  test('refuses more events than can be planned', () => {
    assert.throws(() => parseTrace('0,1\n'.repeat(5), 't.csv', 4), {
      code: 'trace-invalid',
      message: 't.csv holds more than 4 events, the most that can be planned; use a part of it',
    });
    assert.equal(parseTrace('0,1\n'.repeat(4), 't.csv', 4).offsetUs.length, 4);
  });

  test('names ten bad lines and counts the rest', () => {
    assert.throws(
      () => parseTrace(`0,1\n${'x\n'.repeat(25)}`, 't.csv'),
      (error) =>
        error instanceof UserError &&
        error.message.split('\n').length === 11 &&
        error.message.endsWith('t.csv: and 15 more lines like these'),
    );
  });
});
