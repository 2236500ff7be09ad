// Holds hubs that share their events to what servers/hub/broker.ts promises, whichever side numbers, and
// however late events come.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import type { BrokeredLog } from '../../../servers/hub/broker.ts';
import type { HubEvent, Place } from '../../../servers/hub/event.ts';
import { connectHub, createHub, TooManyTopics } from '../../../servers/hub/hub.ts';
import { arriving, epoch, firstNumbers, placeNumbers } from './shared-brokers.ts';

const names = ['a', 'b', 'c'];
const count = 3;
const serverArb = fc.nat(count - 1);
const stepArb = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      server: serverArb,
      topic: fc.constantFrom(...names),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('deliver' as const), server: serverArb }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      server: serverArb,
      topics: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
      seen: fc.nat(20),
    }),
  },
);

for (const [name, connect] of Object.entries({ placeNumbers, firstNumbers }))
  describe(name, () => {
    test('all servers take the same events in one order, and who joins anywhere misses none', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepArb, { maxLength: 80 }), async (steps) => {
          const { hubs, deliver, fail } = connect(count);
          const joined: { server: number; topics: string[]; after: number; got: HubEvent[] }[] = [];
          const published: Promise<Place>[] = [];
          let failing = false;
          for (const step of steps) {
            if (step.do === 'fail') {
              fail(new TooManyTopics('full'));
              failing = true;
            } else if (step.do === 'deliver') {
              deliver(step.server);
            } else if (step.do === 'publish') {
              const publish = async () => hubs[step.server]!.publish(step.topic, '1', {});
              if (failing) await assert.rejects(publish, TooManyTopics);
              else published.push(publish());
              failing = false;
            } else {
              const { server, topics, seen } = step;
              const hub = hubs[server]!;
              const after = Math.min(seen, hub.published());
              const got: HubEvent[] = [];
              hub.subscribe(topics, (event) => got.push(event), undefined);
              const missed = hub.since(topics, `${epoch}-${after}`);
              assert.equal(missed.lost, false);
              got.unshift(...missed.events);
              joined.push({ server, topics, after, got });
            }
            // Nobody's cursor is ahead of what was handed out to those who follow everything.
            for (const { server, topics, after, got } of joined)
              if (topics.length === names.length) {
                const end = `${epoch}-${after + got.length}`;
                assert.equal(hubs[server]!.cursor(), end);
              }
          }
          for (let server = 0; server < count; server++) while (deliver(server));
          const places = await Promise.all(published);
          const all = hubs[0]!.since(names, `${epoch}-0`).events;
          assert.deepEqual(
            places.map(({ id, seq }) => [id, seq]),
            all.map(({ id, seq }) => [id, seq]),
          );
          assert.deepEqual(
            all.map(({ offset }) => offset),
            all.map((_, i) => i + 1),
            'no number was lost with what failed',
          );
          for (const hub of hubs) {
            assert.deepEqual(hub.since(names, `${epoch}-0`), { events: all, lost: false });
            for (const topic of names) {
              const seqs = hub.since([topic], `${epoch}-0`).events.map(({ seq }) => seq);
              assert.deepEqual(
                seqs,
                seqs.map((_, i) => i + 1),
              );
            }
          }
          for (const { topics, after, got } of joined)
            assert.deepEqual(
              got,
              all.slice(after).filter(({ topic }) => topics.includes(topic)),
            );
        }),
        { numRuns: 200 },
      );
    });

    test('a promise resolves when the server that published has handed the event out', async () => {
      const { hubs, deliver } = connect(2);
      const got: string[] = [];
      hubs[1]!.subscribe(['a'], ({ id }) => got.push(id), undefined);
      const published = hubs[1]!.publish('a', '1', {});
      assert.ok(published instanceof Promise);
      void published.then(({ id }) => got.push(`answer ${id}`));
      deliver(0);
      await new Promise(setImmediate);
      assert.deepEqual([got, hubs[1]!.cursor()], [[], 'e-0']);
      deliver(1);
      await published;
      assert.deepEqual([got, hubs[1]!.cursor()], [['e-1', 'answer e-1'], 'e-1']);
    });
  });

test('without other servers nothing is promised: the event is there', () => {
  assert.equal(createHub(defaultLimits, { epoch }).publish('a', '1', {}).id, 'e-1');
});

test('a copy of a log takes each event once, by the number it was given, and says what it lacks', () => {
  let log: BrokeredLog | undefined;
  const follower = connectHub(defaultLimits, (given) => {
    log = given;
    return { publish: given.append };
  });
  log!.begin(epoch, 0);
  const home = createHub(defaultLimits, { epoch });
  const names = ['a', 'b'];
  const events = ['a', 'b', 'a', 'b', 'a'].map((topic) => home.publish(topic, '1', {}));
  const [first, second, third, , fifth] = events;
  const got: HubEvent[] = [];
  follower.subscribe(names, (event) => got.push(event), undefined);
  for (const event of [first, second, first, second, third]) log!.receive(arriving(event!));
  assert.deepEqual(follower.since(names, 'e-0'), { events: [first, second, third], lost: false });
  // Another server was ahead: what was seen there is not handed out again here.
  assert.deepEqual(follower.since(names, 'e-4'), { events: [], lost: false });
  assert.deepEqual([follower.cursor('e-4'), follower.cursor('e-2')], ['e-4', 'e-3']);
  const ahead: HubEvent[] = [];
  follower.subscribe(names, (event) => ahead.push(event), undefined, 'e-5');
  log!.receive(arriving(fifth!));
  assert.deepEqual([got, ahead], [[first, second, third, fifth], []]);
  assert.equal(follower.skipped(), 1);
  assert.deepEqual(follower.since(names, 'e-3'), { events: [fifth], lost: true });
  assert.deepEqual(follower.since(names, 'e-4'), { events: [fifth], lost: false });
  assert.equal(follower.newest(['b']), 'e-4', 'a poller of a quiet topic is told too');
  assert.throws(() => follower.draft('a', '1', {}), /takes no drafts/);
});

test('a new epoch forgets the events, keeps the subscribers, and counts topics and numbers again', () => {
  let log: BrokeredLog | undefined;
  const hub = connectHub({ ...defaultLimits, maxTopics: 2 }, (given) => {
    log = given;
    return { publish: given.append };
  });
  log!.begin(epoch, 7);
  assert.deepEqual(
    [hub.cursor(), hub.since(['a'], 'e-6').lost, hub.since(['a'], 'e-7').lost],
    ['e-7', true, false],
  );
  const got: string[] = [];
  const end = hub.subscribe(['a'], ({ id, seq }) => got.push(`${id} ${seq}`), undefined);
  const rest = log!.encode('1', {});
  for (const [offset, topic] of [
    [8, 'a'],
    [9, 'b'],
  ] as const)
    log!.receive({ offset, topic, seq: undefined, rest });
  assert.throws(() => log!.admit('c'), TooManyTopics);
  log!.begin('f', 0);
  assert.equal(hub.epoch, 'f');
  assert.deepEqual(hub.since(['a', 'b'], 'e-8'), { events: [], lost: true });
  log!.admit('c');
  log!.receive({ offset: 1, topic: 'a', seq: undefined, rest });
  log!.receive({ offset: 2, topic: 'a', seq: 40, rest });
  log!.receive({ offset: 3, topic: 'a', seq: 12, rest });
  log!.receive({ offset: 4, topic: 'a', seq: undefined, rest });
  assert.deepEqual(got, ['e-8 1', 'f-1 1', 'f-2 40', 'f-3 12', 'f-4 41']);
  assert.equal(hub.since(['a'], 'f-1').lost, false);
  end();
});
