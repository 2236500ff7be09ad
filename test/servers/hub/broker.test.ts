// Holds hubs that share their events to what servers/hub/broker.ts promises, whoever numbers, and however
// late events come.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import type { BrokeredLog } from '../../../servers/hub/broker.ts';
import type { HubEvent } from '../../../servers/hub/event.ts';
import { connectHub, createHub, TooManyTopics } from '../../../servers/hub/hub.ts';
import { epoch, firstNumbers, placeNumbers } from './shared-brokers.ts';

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
          const published: Promise<HubEvent>[] = [];
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
          const all = await Promise.all(published);
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

test('a log refuses an event that is not its next, and is as it was before', () => {
  let log: BrokeredLog | undefined;
  const follower = connectHub(
    defaultLimits,
    (given) => {
      log = given;
      return { publish: given.append };
    },
    { epoch },
  );
  const home = createHub(defaultLimits, { epoch });
  const [first, second, third] = ['a', 'b', 'a'].map((topic) => home.publish(topic, '1', {}));
  log!.receive(first!);
  for (const [wrong, why] of [
    [first, /event e-1 came where e-2 is next/],
    [third, /event e-3 came where e-2 is next/],
    [{ ...second!, id: 'f-2' }, /event f-2 came where e-2 is next/],
    [{ ...second!, seq: 2 }, /event 2 of topic b came behind its event 0/],
    [{ ...second!, topic: 'a' }, /event 1 of topic a came behind its event 1/],
  ] as const)
    assert.throws(() => log!.receive(wrong!), why);
  assert.deepEqual([follower.cursor(), follower.since(['a', 'b'], 'e-0').events], ['e-1', [first]]);
  log!.receive(second!);
  log!.receive(third!);
  assert.deepEqual(follower.since(['a', 'b'], 'e-0').events, [first, second, third]);
  follower.draft('a', '1', {});
  const beside = home.publish('a', '1', {});
  assert.throws(() => log!.receive(beside), /while 1 drafts wait to be stored/);
  follower.drop();
  log!.receive(beside);
  assert.equal(follower.publish('b', '1', {}).id, 'e-5', 'it numbers on where the others are');
});
