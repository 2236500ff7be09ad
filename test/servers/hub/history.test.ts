// Holds the history to its limits and its links, against a list that is cut by counting.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { HubEvent } from '../../../servers/hub/event.ts';
import { createHistory, keptAfter, newestKept } from '../../../servers/hub/history.ts';
import { createTopics, TooManyTopics } from '../../../servers/hub/topics.ts';

test('a history keeps what its limits allow, linked both ways, and says how much that is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(30)), { maxLength: 80 }),
      fc.nat(5),
      fc.nat(150),
      (given, perTopic, mostBytes) => {
        const topics = createTopics(10);
        const history = createHistory(perTopic, mostBytes);
        let model: HubEvent[] = [];
        const bytesOf = (events: HubEvent[]) => events.reduce((sum, { json }) => sum + json.length, 0);
        for (const [i, [name, bytes]] of given.entries()) {
          const { topic, seq } = topics.number(name, undefined);
          const offset = i + 1;
          const event = { id: `e-${offset}`, offset, topic: name, seq, json: 'x'.repeat(bytes) };
          topic.newestOffset = offset;
          history.keep(event, topic);
          model.push(event);
          const ofTopic = model.filter((one) => one.topic === name);
          if (ofTopic.length > perTopic) model = model.filter((one) => one !== ofTopic[0]);
          while (bytesOf(model) > mostBytes) model.shift();

          assert.deepEqual(history.size(), { events: model.length, bytes: bytesOf(model) });
          const all = ['a', 'b', 'c'].map((one) => topics.find(one));
          assert.deepEqual(keptAfter(all, 0).events, model);
          assert.deepEqual(
            newestKept(all),
            model.filter((one) => !model.some((other) => other.topic === one.topic && other.seq > one.seq)),
          );
          for (const topic of all) {
            const forwards: HubEvent[] = [];
            for (let kept = topic?.oldest; kept; kept = kept.newerInTopic) forwards.push(kept.event);
            assert.deepEqual(
              forwards,
              model.filter((one) => one.topic === topic?.name),
            );
            assert.equal(topic?.count ?? 0, forwards.length);
          }
        }
        let kept = model[0] && topics.find(model[0].topic)!.oldest;
        const log: HubEvent[] = [];
        for (; kept; kept = kept.newer) log.push(kept.event);
        assert.deepEqual(log, model);
      },
    ),
  );
});

test('topics are counted as published or only followed, and forgotten when they are neither', () => {
  const topics = createTopics(1);
  const [followed] = topics.follow(['a']);
  followed!.listeners.add({ listener() {}, subscriber: undefined, from: 0 });
  assert.deepEqual(topics.counts(), { published: 0, followedOnly: 1 });
  assert.equal(topics.number('a', undefined).topic, followed);
  assert.deepEqual(topics.counts(), { published: 1, followedOnly: 0 });
  assert.throws(() => topics.admit('b'), TooManyTopics);
  topics.unnumber(followed!, 0);
  assert.deepEqual(topics.counts(), { published: 0, followedOnly: 1 });
  followed!.listeners.clear();
  topics.forgetUnused(followed!);
  assert.deepEqual([topics.counts(), topics.find('a')], [{ published: 0, followedOnly: 0 }, undefined]);
});
