// Holds the hub against a model that keeps everything and counts from scratch, and to its limits.

import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'vitest';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { collectGarbage } from '../../../core/protocol/self.ts';
import { createHub, TooManyTopics, type HubEvent } from '../../../servers/hub/hub.ts';

const names = ['a', 'b', 'c', 'd'];

const topicsArb = fc.uniqueArray(fc.constantFrom(...names, 'unknown'), { minLength: 1 });

type Op =
  | { do: 'publish'; topic: string; body: string }
  | { do: 'since'; topics: string[]; at: number }
  | { do: 'newest'; topics: string[] }
  | { do: 'subscribe'; topics: string[] }
  | { do: 'unsubscribe'; which: number };

const opArb: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      topic: fc.constantFrom(...names),
      body: fc.string({ maxLength: 60, unit: 'grapheme' }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('since' as const),
      topics: topicsArb,
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('newest' as const), topics: topicsArb }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('subscribe' as const), topics: topicsArb }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), which: fc.nat(5) }) },
);

/** Keeps all events and says which of them the limits leave. */
function modelOf(history: number, historySize: number) {
  const all: HubEvent[] = [];
  const held: HubEvent[] = [];
  return {
    all,
    add(event: HubEvent) {
      all.push(event);
      held.push(event);
      const ofTopic = held.filter(({ topic }) => topic === event.topic);
      if (ofTopic.length > history) held.splice(held.indexOf(ofTopic[0]!), 1);
      const size = () => held.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
      while (size() > historySize) held.shift();
    },
    since(topics: string[], offset: number) {
      const wanted = (event: HubEvent) => topics.includes(event.topic) && event.offset > offset;
      const events = held.filter(wanted);
      return { events, lost: events.length < all.filter(wanted).length };
    },
  };
}

test('the current state is the newest event of each topic that is held, in the order of the log', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...names), { maxLength: 40 }),
      topicsArb,
      fc.integer({ min: 0, max: 3 }),
      (published, topics, history) => {
        const hub = createHub({ ...defaultLimits, history }, { epoch: 'e' });
        const all = published.map((topic) => hub.publish(topic, '1', {}));
        const newest =
          history === 0
            ? []
            : topics.flatMap((topic) => all.findLast((event) => event.topic === topic) ?? []);
        assert.deepEqual(hub.since(topics, 'last'), {
          events: newest.sort((a, b) => a.offset - b.offset),
          lost: false,
        });
      },
    ),
  );
});

test('a hub and its naive model agree on every sequence of calls', () => {
  fc.assert(
    fc.property(
      fc.array(opArb, { maxLength: 80 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 3000 }),
      (ops, history, historySize) => {
        let us = 0;
        const hub = createHub({ ...defaultLimits, history, historySize }, { epoch: 'e', nowUs: () => us++ });
        const model = modelOf(history, historySize);
        const subscribers: {
          topics: string[];
          got: HubEvent[];
          from: number;
          until: number;
          end: () => void;
        }[] = [];
        for (const op of ops) {
          switch (op.do) {
            case 'publish':
              model.add(hub.publish(op.topic, op.body, {}));
              break;
            case 'since': {
              const offset = Math.round(op.at * model.all.length);
              assert.deepEqual(hub.since(op.topics, `e-${offset}`), model.since(op.topics, offset));
              break;
            }
            case 'newest':
              assert.equal(
                hub.newest(op.topics),
                `e-${model.all.findLast(({ topic }) => op.topics.includes(topic))?.offset ?? 0}`,
              );
              break;
            case 'subscribe': {
              const got: HubEvent[] = [];
              subscribers.push({
                topics: op.topics,
                got,
                from: model.all.length,
                until: Infinity,
                end: hub.subscribe(op.topics, (event) => got.push(event), undefined),
              });
              break;
            }
            case 'unsubscribe': {
              const subscriber = subscribers[op.which];
              if (!subscriber || subscriber.until < Infinity) break;
              subscriber.until = model.all.length;
              subscriber.end();
            }
          }
          assert.equal(hub.cursor(), `e-${model.all.length}`);
          assert.equal(hub.published(), model.all.length);
        }
        for (const { topics, got, from, until, end } of subscribers) {
          assert.deepEqual(
            got,
            model.all.slice(from, until).filter(({ topic }) => topics.includes(topic)),
          );
          end();
        }
        assert.equal(hub.subscriptions(), 0);
        // Another epoch, a place the log has not reached and what is not a cursor: all that is
        // held, and the truth about it.
        for (const cursor of ['f-0', `e-${model.all.length + 1}`, 'nonsense']) {
          assert.deepEqual(hub.since(names, cursor), { events: model.since(names, 0).events, lost: true });
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('an event carries its place, its stamps and its body', () => {
  const hub = createHub(defaultLimits, { epoch: 'k3f9a1', nowUs: () => 85 });
  hub.publish('other', '1', {});
  const event = hub.publish('news', '{"any":"JSON"}', { plannedUs: 81, sentUs: 82, crc: 123 });
  assert.equal(
    event.json,
    '{"id":"k3f9a1-2","topic":"news","seq":1,"planned":81,"sent":82,"accepted":85,"crc":123,' +
      '"body":{"any":"JSON"}}',
  );
  // What the publisher did not say is taken from what came after it.
  assert.match(hub.publish('news', '1', { sentUs: 82 }).json, /"planned":82,"sent":82,"accepted":85,"body"/);
  assert.match(hub.publish('news', '1', {}).json, /"planned":85,"sent":85,"accepted":85,"body"/);
  assert.equal(decodeEnvelope(hub.publish('news', 'two\nlines', {}).json).body, 'two\nlines');
});

test('epochs are six characters of a-z 0-9 and differ', () => {
  const epochs = Array.from({ length: 20 }, () => createHub(defaultLimits).epoch);
  for (const epoch of epochs) assert.match(epoch, /^[a-z0-9]{6}$/);
  assert.ok(new Set(epochs).size > 1);
});

test('topics published to are limited; those that exist go on', () => {
  const hub = createHub({ ...defaultLimits, maxTopics: 2 });
  hub.publish('a', '1', {});
  hub.publish('b', '1', {});
  assert.throws(
    () => hub.publish('c', '1', {}),
    (error) => error instanceof TooManyTopics && /2 topics.*maxTopics/.test(error.message),
  );
  assert.equal(hub.publish('b', '2', {}).seq, 2);
  assert.equal(hub.published(), 3, 'the refused event took no place in the log');
});

test('topics that are only followed are limited on their own, and forgotten with their last follower', () => {
  const hub = createHub({ ...defaultLimits, maxTopics: 2 });
  const follow = (...topics: string[]) => hub.subscribe(topics, () => {}, undefined);
  const end = follow('a', 'b');
  const endAlso = follow('b');
  assert.throws(
    () => follow('b', 'c'),
    (error) =>
      error instanceof TooManyTopics && /2 topics that have no events.*maxTopics/.test(error.message),
  );
  assert.equal(hub.subscriptions(), 2, 'the refused one left nothing behind');
  end();
  follow('c')(); // room of `a`
  hub.publish('b', '1', {}); // no longer only followed
  follow('d', 'e');
  endAlso();
  assert.throws(() => follow('f'), TooManyTopics);
});

test('what is evicted is let go, also behind a quiet topic that keeps its own', async () => {
  const hub = createHub({ ...defaultLimits, history: 10 });
  hub.publish('quiet', '1', {});
  const first = new WeakRef(hub.publish('busy', '1', {}));
  for (let i = 0; i < 10; i++) hub.publish('busy', '1', {});
  const { events, lost } = hub.since(['quiet', 'busy'], `${hub.epoch}-0`);
  assert.deepEqual([events.length, lost], [11, true]);
  assert.equal(hub.since(['quiet'], `${hub.epoch}-0`).lost, false);
  await setImmediate(); // a WeakRef holds on until the turn ends
  collectGarbage();
  assert.equal(first.deref(), undefined);
});
