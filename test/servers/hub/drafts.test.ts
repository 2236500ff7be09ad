// Holds drafts to leaving no trace when they are dropped, and to being events like others when they are
// taken.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { createHub, TooManyTopics, type HubEvent } from '../../../servers/hub/hub.ts';

const names = ['a', 'b', 'c', 'd'];

test('drafts that were dropped leave no trace: the hub is one that was told of the taken ones alone', () => {
  const stepArb = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('draft' as const), topic: fc.constantFrom(...names) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'take' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'drop' as const }) },
  );
  fc.assert(
    fc.property(fc.array(stepArb, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, maxTopics) => {
      const limits = { ...defaultLimits, history: 3, maxTopics };
      const [hub, plain] = [
        createHub(limits, { epoch: 'e', nowUs: () => 1 }),
        createHub(limits, { epoch: 'e', nowUs: () => 1 }),
      ];
      const [got, expected, taken]: HubEvent[][] = [[], [], []];
      hub.subscribe(['a'], (event) => got!.push(event), undefined);
      plain.subscribe(['a'], (event) => expected!.push(event), undefined);
      let open: { topic: string; event: HubEvent }[] = [];
      for (const step of [...steps, { do: 'take' as const }]) {
        if (step.do === 'draft') {
          try {
            open.push({
              topic: step.topic,
              event: hub.draft(step.topic, '1', {}, (event) => taken!.push(event)),
            });
          } catch (error) {
            assert.ok(error instanceof TooManyTopics);
          }
          continue;
        }
        if (step.do === 'drop') {
          hub.drop();
        } else {
          hub.take();
          assert.deepEqual(
            open.map(({ event }) => event),
            open.map(({ topic }) => plain.publish(topic, '1', {})),
          );
        }
        open = [];
        assert.deepEqual(
          [hub.cursor(), hub.published(), hub.newest(names)],
          [plain.cursor(), plain.published(), plain.newest(names)],
        );
        for (const cursor of ['e-0', hub.cursor(), `e-${hub.published() + 1}`])
          assert.deepEqual(hub.since(names, cursor), plain.since(names, cursor));
      }
      assert.deepEqual(got, expected);
      assert.equal(taken!.length, hub.published());
    }),
  );
});

test('nobody sees a draft, and nothing is published beside one', () => {
  const hub = createHub(defaultLimits, { epoch: 'e' });
  hub.publish('news', '1', {});
  const got: HubEvent[] = [];
  hub.subscribe(['news'], (event) => got.push(event), undefined);
  const draft = hub.draft('news', '2', {});
  assert.deepEqual([draft.id, draft.seq], ['e-2', 2]);
  assert.deepEqual(
    [got.length, hub.published(), hub.cursor(), hub.since(['news'], 'e-1').events.length],
    [0, 1, 'e-1', 0],
  );
  assert.throws(() => hub.publish('news', '3', {}), /while 1 drafts wait to be stored/);
  hub.take();
  assert.deepEqual(got, [draft]);
});

test('a topic that only ever had a dropped draft counts against no limit', () => {
  const hub = createHub({ ...defaultLimits, maxTopics: 1 }, { epoch: 'e' });
  hub.draft('a', '1', {});
  assert.throws(() => hub.draft('b', '1', {}), TooManyTopics);
  hub.drop();
  assert.equal(hub.publish('b', '1', {}).id, 'e-1');
});
