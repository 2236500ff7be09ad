// Holds the hub to what its listeners may rely on: their order, and what they may do while an event is handed
// out.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { createHub } from '../../../servers/hub/hub.ts';

test('the followers of a topic are those who subscribed, each as often as it did', () => {
  const hub = createHub(defaultLimits);
  const ends = ['x', 'y', 'x'].map((name) => hub.subscribe(['a', 'b'], () => {}, name));
  assert.deepEqual([hub.followers('a'), hub.followers('c')], [['x', 'y', 'x'], []]);
  ends[0]!();
  assert.deepEqual(hub.followers('b'), ['y', 'x']);
});

test('listeners are called in the order they came, also those of several topics', () => {
  const hub = createHub(defaultLimits);
  const calls: string[] = [];
  for (const [who, topics] of [
    ['first', ['a', 'b']],
    ['second', ['b']],
    ['third', ['b', 'a', 'b']],
  ] as const)
    hub.subscribe(topics, ({ topic }, name) => calls.push(`${name} ${topic}`), who);
  hub.publish('b', '1', {});
  hub.publish('a', '1', {});
  assert.deepEqual(calls, ['first b', 'second b', 'third b', 'first a', 'third a']);
});

test(
  'a listener may end itself and others while an event is handed round; ' +
    'one that begins then gets the next event',
  () => {
    const hub = createHub(defaultLimits);
    const calls: string[] = [];
    const ends: (() => void)[] = [];
    ends.push(hub.subscribe(['a'], () => calls.push('before'), undefined));
    ends.push(
      hub.subscribe(
        ['a'],
        () => {
          calls.push('ender');
          for (const end of ends) end();
          hub.subscribe(['a'], ({ seq }) => calls.push(`late ${seq}`), undefined);
        },
        undefined,
      ),
    );
    ends.push(hub.subscribe(['a'], () => calls.push('ended by another'), undefined));
    hub.subscribe(['a'], () => calls.push('after'), undefined);
    hub.publish('a', '1', {});
    assert.deepEqual(calls, ['before', 'ender', 'after']);
    hub.publish('a', '2', {});
    assert.deepEqual(calls.slice(3), ['after', 'late 2']);
    ends[0]!(); // ended already
    assert.equal(hub.subscriptions(), 2);
  },
);

test(
  '10,000 listeners on one topic and 10,000 topics with one ' + 'each: each gets its events and no other',
  () => {
    const hub = createHub(defaultLimits);
    const counts = new Uint32Array(10_000);
    const ends = Array.from(counts, (_, i) =>
      hub.subscribe(['all', `own.${i}`], () => counts[i]!++, undefined),
    );
    hub.publish('all', '1', {});
    for (let i = 0; i < counts.length; i++) hub.publish(`own.${i}`, '1', {});
    assert.ok(counts.every((count) => count === 2));
    for (const end of ends) end();
    hub.publish('all', '1', {});
    assert.ok(counts.every((count) => count === 2));
    assert.equal(hub.subscriptions(), 0);
  },
);
