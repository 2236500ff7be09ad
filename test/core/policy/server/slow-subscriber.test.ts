// Holds the decisions about slow subscribers to what each policy promises, and coalescing to a model that
// keeps everything.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  coalesce,
  decideBehind,
  isBehind,
  newCoalesced,
  slowPolicies,
  type BacklogKind,
  type SlowPolicy,
} from '../../../../core/policy/server/slow-subscriber.ts';

test('what each policy does, with a backlog and without', () => {
  const rows: [SlowPolicy, BacklogKind, boolean, number, ReturnType<typeof decideBehind>][] = [
    // The outlet takes more: nobody is slow yet.
    ['disconnect', 'none', false, 0, 'write'],
    ['drop', 'none', false, 0, 'write'],
    ['coalesce', 'none', false, 0, 'write'],
    ['disconnect', 'none', true, 0, 'cut-off'],
    ['drop', 'none', true, 0, 'drop'],
    ['coalesce', 'none', true, 0, 'coalesce'],
    // What is kept already must leave first, even when the outlet takes more.
    ['coalesce', 'newest', false, 0, 'coalesce'],
    ['coalesce', 'newest', true, 0, 'coalesce'],
    // The history holds the event; only `disconnect` limits how far one may fall behind in it.
    ['disconnect', 'history', true, 1000, 'leave'],
    ['disconnect', 'history', false, 1001, 'cut-off'],
    ['drop', 'history', true, 1001, 'leave'],
    ['coalesce', 'history', true, 1001, 'leave'],
  ];
  for (const [slow, backlog, outletFull, grownBytes, decision] of rows)
    assert.equal(decideBehind(slow, backlog, outletFull, grownBytes, 1000), decision, `${slow} ${backlog}`);
});

test('one is behind with a backlog, or with more than the buffer waiting', () => {
  assert.deepEqual(
    [isBehind(false, 0, 0), isBehind(false, 100, 100), isBehind(false, 101, 100), isBehind(true, 0, 100)],
    [false, false, true, true],
  );
});

test('a reader at any speed gets events in order, within the bound, and each is sent or counted', () => {
  const roomBytes = 64;
  fc.assert(
    fc.property(
      fc.constantFrom(...slowPolicies),
      fc.nat(200),
      fc.array(fc.oneof(fc.record({ event: fc.integer({ min: 1, max: 50 }) }), fc.constant('read' as const))),
      (slow, slowBufferBytes, steps) => {
        // An outlet that is full from `roomBytes` on until it has drained, as Node's are.
        let outlet: { topic: string; json: string; seq: number }[] = [];
        let full = false;
        let kept = newCoalesced<{ topic: string; json: string; seq: number }>();
        let isOpen = true;
        let [seq, dropped] = [0, 0];
        const got: number[] = [];
        const waiting = () => outlet.reduce((sum, { json }) => sum + json.length, 0);
        const write = (event: (typeof outlet)[number]) => {
          outlet.push(event);
          full ||= waiting() >= roomBytes;
        };
        for (const step of steps) {
          if (step === 'read') {
            got.push(...outlet.splice(0, 1).map((event) => event.seq));
            if (outlet.length > 0) continue;
            full = false;
            const { events } = kept;
            kept = newCoalesced();
            for (const event of events.values()) write(event);
          } else if (isOpen) {
            const event = { topic: `${step.event % 3}`, json: 'x'.repeat(step.event), seq: ++seq };
            const hasBacklog = kept.events.size > 0;
            if (!isBehind(hasBacklog, waiting(), slowBufferBytes)) {
              write(event);
              continue;
            }
            const backlog = hasBacklog ? 'newest' : 'none';
            switch (decideBehind(slow, backlog, full, 0, 0)) {
              case 'write':
                write(event);
                break;
              case 'drop':
                dropped++;
                break;
              case 'coalesce':
                dropped += coalesce(kept, event, slowBufferBytes);
                break;
              case 'cut-off':
                isOpen = false;
                seq--; // not taken
                break;
              case 'leave':
                assert.fail('without a history nothing is left there');
            }
          }
          // The bound: the buffer, or what an outlet takes anyway, and one event of at most 50.
          assert.ok(waiting() <= Math.max(slowBufferBytes, roomBytes) * 2 + 50);
        }
        const all = [
          ...got,
          ...outlet.map((event) => event.seq),
          ...[...kept.events.values()].map((e) => e.seq),
        ];
        assert.deepEqual(
          all,
          [...all].sort((a, b) => a - b),
        );
        assert.equal(all.length + dropped, seq);
        if (slow !== 'disconnect') assert.ok(isOpen);
        if (slow === 'disconnect') assert.equal(dropped, 0);
      },
    ),
    { numRuns: 500 },
  );
});

test('coalescing keeps the newest of each topic, the latest that fit, and counts the others', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(40))),
      fc.nat(100),
      (given, mostLength) => {
        const coalesced = newCoalesced<{ topic: string; json: string; seq: number }>();
        let dropped = 0;
        let model: { topic: string; json: string; seq: number }[] = [];
        for (const [seq, [topic, length]] of given.entries()) {
          const event = { topic, json: 'x'.repeat(length), seq };
          dropped += coalesce(coalesced, event, mostLength);
          model = [...model.filter((one) => one.topic !== topic), event];
          const length_ = () => model.reduce((sum, { json }) => sum + json.length, 0);
          while (length_() > mostLength && model.length > 1) model.shift();
          assert.deepEqual([...coalesced.events.values()], model);
          assert.equal(coalesced.length, length_());
          assert.equal(model.length + dropped, seq + 1);
          assert.equal(model.at(-1), event);
        }
      },
    ),
  );
});
