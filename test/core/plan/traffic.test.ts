// Says what a schedule comes to, group by group, and refuses one under which nothing would be tested.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Sources } from '../../../core/plan/schedule.ts';
import { planTraffic, trafficAhead, trafficLines, trafficNotes } from '../../../core/plan/traffic.ts';
import { noFiles, scenario, type Changes } from './planned.ts';

type Topics = Parameters<typeof scenario>[0];

const trafficOf = (topics: Topics, changes: Changes = {}, sources: Sources = noFiles) =>
  planTraffic(scenario(topics, changes), sources).traffic;
const tracing = (text: string): Sources => ({ ...noFiles, traceOf: () => text });
const tracedNews = { news: { publish: { kind: 'trace', file: 't.csv' } } } satisfies Topics;

describe('what a schedule comes to', () => {
  test('for each group: topics, rates, events and deliveries', () => {
    // 4 s: 40 events to all ten; 3/s over five topics of which each follows two: 12 events to four each.
    const lines = trafficLines(
      trafficOf({
        news: { publish: { kind: 'constant', perS: 10 } },
        room: { publish: { kind: 'constant', perS: 3 }, count: 5, follow: 2 },
      }),
    );
    assert.deepEqual(lines, [
      'group  topics  rate in all  each topic  each subscriber  events  deliveries',
      'news        1         10/s        10/s             10/s      40         400',
      'room        5          3/s       0.6/s            1.2/s      12          48',
    ]);
  });

  test('a rate of each topic is that many times as much', () => {
    const { groups } = trafficOf({
      inbox: { publish: { kind: 'constant', perS: 0.5, each: true }, count: 'per-subscriber' },
    });
    assert.deepEqual(
      groups.map(({ perS, events, deliveries, reached }) => [perS, events, deliveries, reached]),
      [[5, 20, 20, 10]],
    );
  });

  test('every kind of arrivals can be said of each topic', () => {
    const events = (publish: Topics[string]['publish']) =>
      trafficOf({ news: { publish, count: 5 } }).groups[0]!.events;
    const stages = [{ rate: 1, to: 3, for: 4000 }];
    assert.equal(events({ kind: 'stages', stages, each: true }), 5 * 8);
    assert.equal(events({ kind: 'bursts', size: 2, everyMs: 1000, each: true }), 5 * 2 * 4);
    const poisson = events({ kind: 'poisson', perS: 100, each: true });
    assert.ok(Math.abs(poisson - 2000) < 5 * Math.sqrt(2000), String(poisson));
  });
});

describe('what to know of a schedule', () => {
  const notes = (...args: Parameters<typeof trafficOf>) =>
    trafficNotes(trafficOf(...args)).map(({ code, message }) => `${code}: ${message}`);

  test('nothing where every topic gets its events', () => {
    assert.deepEqual(notes({ news: { publish: { kind: 'constant', perS: 5 }, count: 10 } }), []);
  });

  test('fewer events than topics, and what was perhaps meant', () => {
    assert.deepEqual(
      notes(
        { inbox: { publish: { kind: 'constant', perS: 0.5 }, count: 'per-subscriber' } },
        { subscribers: 5625, measureMs: 8000 },
      ),
      [
        'quiet-topics: topic group "inbox" has 4 events for 5,625 topics in the measured phase, so 5,621 ' +
          'of them never get one. Its rate of 0.5/s is for all its topics together; if every topic ' +
          'should have it, write "0.5/s each".',
      ],
    );
    assert.deepEqual(notes({ inbox: { publish: { kind: 'constant', perS: 0.05, each: true }, count: 10 } }), [
      'quiet-topics: topic group "inbox" has 2 events for 10 topics in the measured phase, so 8 of them ' +
        'never get one.',
    ]);
  });

  test('events on topics that nobody follows', () => {
    assert.deepEqual(notes({ news: { publish: { kind: 'constant', perS: 5 }, count: 20 } }), [
      'unfollowed: of the 20 events of topic group "news", 10 go to topics that nobody follows, ' +
        'and so to nobody.',
    ]);
  });

  test('events of a trace after the end of the measured phase, with their number', () => {
    assert.deepEqual(notes(tracedNews, {}, tracing('0,1\n3.999999,1\n4,1\n60,1')), [
      'trace-cut: of the 4 events of the trace t.csv, 2 come after the end of the measured phase and will ' +
        'not be published: the trace lasts 60 s.',
    ]);
  });

  test('a trace of moments is as good as one of seconds', () => {
    const traffic = trafficOf(tracedNews, {}, tracing('1767349800,1\n1767349801,1'));
    assert.equal(traffic.events, 2);
    assert.deepEqual(trafficLines(traffic).slice(2), [
      'news plays the trace t.csv: 2 events in 1 s; its times were read as seconds since 1970',
    ]);
  });
});

describe('a schedule under which nothing would be tested is refused:', () => {
  const rows: [what: string, topics: Topics, changes: Changes, sources: Sources, message: RegExp][] = [
    [
      'a trace without an event in the phase',
      tracedNews,
      {},
      tracing('36000,1\n36001,1'),
      /no event of the trace t\.csv lies in the measured phase of 4s\. Its times were read as seconds since the first event: of 2 events the first comes 10 h after the start, the last 10 h after it\. Write times that count from the first event, or measure longer/,
    ],
    [
      'a trace beside other events',
      { ...tracedNews, more: { publish: { kind: 'constant', perS: 5 } } },
      {},
      tracing('4,1'),
      /no event of the trace t\.csv/,
    ],
    [
      'a burst beside the phase',
      { news: { publish: { kind: 'bursts', size: 1000, everyMs: 3_600_000 } } },
      {},
      noFiles,
      /no event of topic "news" falls into the measured phase of 4s: a burst comes every 1h, and with this seed none comes in it/,
    ],
    [
      'one group among others',
      {
        news: { publish: { kind: 'constant', perS: 5 } },
        rare: { publish: { kind: 'constant', perS: 0.001 } },
      },
      {},
      noFiles,
      /no event of topic "rare" falls into .*: its rate of 3\.6\/h makes 0\.004 events in it/,
    ],
    [
      'quiet topics alone',
      { news: { publish: { kind: 'constant', perS: 0 } } },
      {},
      noFiles,
      /no event falls into the measured phase of 4s/,
    ],
    [
      'subscribers that never publish',
      {
        news: { publish: { kind: 'constant', perS: 5 } },
        room: { publish: { kind: 'constant', perS: 0 }, by: 'subscribers' },
      },
      {},
      noFiles,
      /subscribers are to publish on topic "room", and its rate of 0\/s lets nobody publish/,
    ],
    [
      'events that nobody is to get',
      { news: { publish: { kind: 'constant', perS: 0.5 }, count: 100_000 } },
      { subscribers: 1 },
      noFiles,
      /nobody would get any of the 2 events in .*: the topics that they are published on have no follower/,
    ],
  ];
  for (const [what, topics, changes, sources, message] of rows)
    test(what, () =>
      assert.throws(() => trafficOf(topics, changes, sources), { code: 'schedule-empty', message }),
    );

  test('a quiet topic beside others is none of these', () => {
    const { events } = trafficOf({
      news: { publish: { kind: 'constant', perS: 5 } },
      quiet: { publish: { kind: 'constant', perS: 0 } },
    });
    assert.equal(events, 20);
  });
});

describe('a schedule that is not held', () => {
  const mixed = {
    news: { publish: { kind: 'poisson', perS: 10 } },
    room: { publish: { kind: 'constant', perS: 3 }, count: 7, follow: 2 },
    many: { publish: { kind: 'bursts', size: 5, everyMs: 700 }, count: 40 },
  } satisfies Topics;

  test('comes to what the held one does', () => {
    for (const seed of [1, 2, 3])
      assert.deepEqual(
        trafficAhead(scenario(mixed, { seed }), noFiles),
        planTraffic(scenario(mixed, { seed }), noFiles).traffic,
      );
    assert.throws(
      () => trafficAhead(scenario({ news: { publish: { kind: 'constant', perS: 0 } } }), noFiles),
      /no event falls into/,
    );
  });

  test('of more events than a plan holds comes to the mean, where the held one is refused', () => {
    const day = 86_400_000;
    const long = scenario(
      {
        news: { publish: { kind: 'poisson', perS: 1000 }, count: 20 },
        room: { publish: { kind: 'constant', perS: 10 }, count: 5, follow: 2 },
      },
      { measureMs: day },
    );
    assert.throws(() => planTraffic(long, noFiles), /at most 20,000,000 can be planned/);
    const { events, deliveries, groups } = trafficAhead(long, noFiles);
    assert.equal(events, 86_400_000 + 864_000);
    // Ten subscribers: one of twenty topics each, so half of the events reach nobody; two of five each.
    assert.equal(deliveries, 43_200_000 + 864_000 * 4);
    assert.deepEqual(
      groups.map(({ reached, unfollowed }) => [reached, unfollowed]),
      [
        [20, 43_200_000],
        [5, 0],
      ],
    );
  });
});
