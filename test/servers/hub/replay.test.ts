// Brings clients back with a cursor: whatever their rate of reading they get everything, or are cut off by
// the stated policy; nothing of the history is held for them but a piece; one who reads nothing is noticed.

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test, vi } from 'vitest';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { unreadMs } from '../../../core/http/unread.ts';
import { heldOutlet, seqsIn, setUp } from '../streams/outlets.ts';
import { bulk } from '../streams.ts';

const pieceBytes = 64 * 1024;
const policies = ['disconnect', 'drop', 'coalesce'] as const;

const offsetsIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{"id"'))
    .map((line) => Number(decodeEnvelope(line).id.slice(2)));

test(
  'any sizes and any rate of reading: all after the cursor in order, ' +
    'or cut off once more than slowBuffer was added while it catches up',
  async (t) => {
    const size = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 150_000 }));
    const step = fc.oneof(size, fc.constant('take' as const), fc.constant('turn' as const));
    await fc.assert(
      fc.asyncProperty(
        fc.array(size, { maxLength: 30 }),
        fc.nat(30),
        fc.array(step, { maxLength: 60 }),
        fc.nat(300_000),
        fc.constantFrom(...policies),
        fc.integer({ min: 0, max: 300_000 }),
        async (before, seen, steps, room, slow, slowBuffer) => {
          const { hub, join, counters } = setUp(t, { slowBuffer, slow });
          for (const bytes of before) hub.publish('a', bulk(bytes), {});
          const cursor = Math.min(seen, before.length);
          const { outlet, text, take, drain } = heldOutlet(room);
          const subscriber = join(outlet, ['a'], `e-${cursor}`);
          let added = 0;
          let catchingUp = subscriber.backlog?.kind === 'history';
          for (const one of steps) {
            if (one === 'take') await take();
            else if (one === 'turn') await turn();
            else added += Buffer.byteLength(hub.publish('a', bulk(one), {}).json);
            catchingUp &&= subscriber.backlog?.kind === 'history' || outlet.destroyed;
          }
          await drain();
          const offsets = offsetsIn(text());
          if (outlet.destroyed) {
            assert.equal(slow, 'disconnect');
            // Live again it is slow like others: by what waits, and with a small buffer the last piece is
            // enough.
            if (catchingUp) assert.ok(added > slowBuffer, `cut off for ${added} bytes`);
            assert.equal(counters.slowDisconnects, 1);
          }
          // One that is cut off while it catches up has got everything up to its last event, and comes back
          // with that.
          const whole = outlet.destroyed || catchingUp || counters.slowDrops === 0;
          assert.deepEqual(
            offsets,
            [...offsets].sort((x, y) => x - y),
          );
          if (whole)
            assert.deepEqual(
              offsets,
              Array.from({ length: offsets.length }, (_, i) => cursor + i + 1),
            );
          if (!outlet.destroyed && counters.slowDrops === 0)
            assert.equal(offsets.at(-1) ?? cursor, hub.published());
        },
      ),
      { numRuns: 150 },
    );
  },
);

test('slow but steady: who takes more than is published is never cut off, however far behind', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 40 }),
      async (sizes) => {
        const { hub, join, counters } = setUp(t, { slowBuffer: pieceBytes });
        for (let i = 0; i < 300; i++) hub.publish('a', bulk(20_000), {});
        const { outlet, text, take, drain } = heldOutlet();
        join(outlet, ['a'], 'e-0');
        for (const bytes of sizes) {
          hub.publish('a', bulk(bytes), {});
          await take();
        }
        await drain();
        assert.deepEqual([counters.slowDisconnects, counters.slowDrops], [0, 0]);
        assert.deepEqual(
          seqsIn(text()),
          Array.from({ length: 300 + sizes.length }, (_, i) => i + 1),
        );
      },
    ),
    { numRuns: 20 },
  );
});

for (const slow of policies) {
  test(
    `slow: ${slow}, one that comes back and reads nothing: a piece is ` +
      'held for it and no more, whatever is published',
    async (t) => {
      const { hub, join, counters } = setUp(t, { slow, slowBuffer: 200_000 });
      for (let i = 0; i < 100; i++) hub.publish('a', bulk(10_000), {});
      const { outlet } = heldOutlet();
      const subscriber = join(outlet, ['a'], 'e-0');
      for (let i = 0; i < 500; i++) {
        hub.publish('a', bulk(10_000), {});
        assert.ok(outlet.writableLength < pieceBytes + 11_000, `${outlet.writableLength} bytes are held`);
        assert.notEqual(subscriber.backlog?.kind, 'newest');
      }
      assert.deepEqual(
        [outlet.destroyed, counters.slowDisconnects],
        slow === 'disconnect' ? [true, 1] : [false, 0],
      );
    },
  );

  test(
    `slow: ${slow}, nothing leaves although something waits: cut off; ` +
      'who takes something now and then stays',
    async (t) => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      t.onTestFinished(() => void vi.useRealTimers());
      const { hub, join, counters } = setUp(t, { slow });
      for (let i = 0; i < 100; i++) hub.publish('a', bulk(10_000), {});
      const [none, some, live, quiet] = [heldOutlet(), heldOutlet(), heldOutlet(), heldOutlet(1e9)];
      join(none.outlet, ['a'], 'e-0');
      join(some.outlet, ['a'], 'e-0');
      join(live.outlet, ['a']);
      join(quiet.outlet, ['a'], 'e-0');
      for (let i = 0; i < 6; i++) {
        vi.advanceTimersByTime(unreadMs / 4);
        await some.take();
        await some.take();
        await turn();
      }
      // Even the opening line waits for `live`.
      assert.deepEqual(
        [none, some, live, quiet].map(({ outlet }) => outlet.destroyed),
        [true, false, true, false],
      );
      assert.equal(counters.slowDisconnects, 2);
    },
  );
}

describe('several topics, with a history that has let go of some events before the subscriber came', () => {
  test('the current state in several pieces is whole, and so is what follows', async (t) => {
    const { hub, join } = setUp(t, { history: 10 });
    hub.publish('rare', bulk(80_000), {});
    for (let i = 0; i < 30; i++) hub.publish('busy', bulk(80_000), {});
    const { outlet, text, take, drain } = heldOutlet();
    join(outlet, ['rare', 'busy'], 'last');
    await take();
    hub.publish('busy', '"live"', {});
    await drain();
    assert.equal(outlet.destroyed, false);
    assert.deepEqual(offsetsIn(text()), [1, 31, 32]);
  });

  test('one that came too late gets all that is held, in several pieces, and is told once', async (t) => {
    const { hub, join, counters } = setUp(t, { history: 10 });
    hub.publish('rare', bulk(80_000), {});
    for (let i = 0; i < 30; i++) hub.publish('busy', bulk(80_000), {});
    const { outlet, text, take, drain } = heldOutlet();
    join(outlet, ['rare', 'busy'], 'other-7');
    await take();
    await drain();
    assert.deepEqual([outlet.destroyed, counters.resets, counters.slowDisconnects], [false, 1, 0]);
    assert.deepEqual(offsetsIn(text()), [1, ...Array.from({ length: 10 }, (_, i) => 22 + i)]);
  });

  test(
    'whatever is published meanwhile: what was promised ' + 'comes, or the subscriber is cut off',
    async (t) => {
      const topic = fc.constantFrom('a', 'b', 'c');
      const event = fc.tuple(topic, fc.oneof(fc.constant(10), fc.constant(70_000)));
      await fc.assert(
        fc.asyncProperty(
          fc.array(event, { minLength: 1, maxLength: 25 }),
          fc.array(fc.oneof(event, fc.constant('take' as const)), { maxLength: 25 }),
          fc.integer({ min: 1, max: 4 }),
          fc.constantFrom('last', 'other-7', 'e-0'),
          async (before, steps, history, since) => {
            const { hub, join } = setUp(t, { history, slowBuffer: 1e9 });
            for (const [name, bytes] of before) hub.publish(name, bulk(bytes), {});
            const promised = hub.since(['a', 'b', 'c'], since).events;
            const { outlet, text, take, drain } = heldOutlet();
            join(outlet, ['a', 'b', 'c'], since);
            for (const step of steps) {
              if (step === 'take') await take();
              else hub.publish(step[0], bulk(step[1]), {});
            }
            await drain();
            if (outlet.destroyed) return;
            const got = offsetsIn(text());
            const after = Array.from(
              { length: hub.published() - before.length },
              (_, i) => before.length + i + 1,
            );
            const [old, fresh] = [
              got.filter((offset) => offset <= before.length),
              got.filter((offset) => offset > before.length),
            ];
            assert.deepEqual(fresh, after);
            if (since !== 'last')
              return assert.deepEqual(
                old,
                promised.map(({ offset }) => offset),
              );
            // Of a topic with a newer event the older one may have gone.
            const updated = new Set(steps.map((step) => step[0]));
            const due = promised
              .filter(({ offset, topic: name }) => old.includes(offset) || !updated.has(name))
              .map(({ offset }) => offset);
            assert.deepEqual(old, due);
          },
        ),
        { numRuns: 200 },
      );
    },
  );

  test('what was promised and has gone is a loss, and the subscriber is cut off', async (t) => {
    for (const since of ['last', 'other-7']) {
      const { hub, join, counters } = setUp(t, { history: 20, historySize: 1_000_000, slowBuffer: 1e9 });
      for (const topic of ['a', 'b', 'c']) hub.publish(topic, bulk(80_000), {});
      const { outlet, drain } = heldOutlet();
      join(outlet, ['a', 'b', 'c'], since);
      for (let i = 0; i < 15; i++) hub.publish('other', bulk(80_000), {});
      await drain();
      assert.deepEqual([outlet.destroyed, counters.slowDisconnects], [true, 1], since);
    }
  });
});
