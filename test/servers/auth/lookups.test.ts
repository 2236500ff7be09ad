// Runs bounded lookups with lookups that end when the test says so.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { boundLookups, NotLookedUp } from '../../../servers/auth/lookups.ts';

type Ending = { name: string; end: PromiseWithResolvers<boolean> };

function scripted(concurrency: number, queue: number, withinMs = 60_000) {
  const begun: Ending[] = [];
  const lookups = boundLookups(
    (name) => {
      const end = Promise.withResolvers<boolean>();
      begun.push({ name, end });
      return end.promise;
    },
    { concurrency, queue, withinMs },
  );
  return { lookups, begun, names: () => begun.map(({ name }) => name) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const code = (error: unknown) => (error instanceof NotLookedUp ? error.code : String(error));

test('so many are under way, the next wait in line, and one more is too many', async () => {
  const { lookups, begun, names } = scripted(2, 2);
  const asked = ['a', 'b', 'c', 'd', 'e'].map((name) => lookups.ask(name).found.catch(code));
  assert.deepEqual([names(), lookups.waiting()], [['a', 'b'], 2]);
  assert.equal(await asked[4], 'auth-full');
  begun[1]!.end.resolve(false);
  assert.equal(await asked[1], false);
  await turn();
  assert.deepEqual(names(), ['a', 'b', 'c']);
  begun[0]!.end.reject(new Error('away'));
  assert.equal(await asked[0], 'Error: away');
  await turn();
  assert.deepEqual([names(), lookups.waiting()], [['a', 'b', 'c', 'd'], 0]);
});

test('who has gone takes no turn and no place in line', async () => {
  const { lookups, begun, names } = scripted(1, 2);
  const asked = ['a', 'b', 'c'].map((name) => lookups.ask(name));
  asked[1]!.drop();
  asked[1]!.drop();
  assert.equal(lookups.waiting(), 1);
  const last = lookups.ask('d');
  begun[0]!.end.resolve(true);
  await turn();
  begun[1]!.end.resolve(true);
  await turn();
  assert.deepEqual(names(), ['a', 'c', 'd']);
  begun[2]!.end.resolve(true);
  assert.equal(await last.found, true);
});

test('one that is late fails; under way it keeps its place until it ends', async () => {
  const { lookups, begun, names } = scripted(1, 5, 30);
  assert.deepEqual(await Promise.all(['a', 'b'].map((name) => lookups.ask(name).found.catch(code))), [
    'auth-late',
    'auth-late',
  ]);
  const next = lookups.ask('c');
  assert.deepEqual(names(), ['a'], 'the first still holds its place');
  begun[0]!.end.resolve(true);
  await turn();
  begun[1]!.end.resolve(true);
  assert.equal(await next.found, true);
});

test('closed, it lets nobody in: not those in line, not those under way, not those who come', async () => {
  const { lookups, begun } = scripted(1, 5);
  const asked = ['a', 'b'].map((name) => lookups.ask(name).found.catch(code));
  lookups.close();
  const later = lookups.ask('c').found.catch(code);
  begun[0]!.end.resolve(true);
  assert.deepEqual(await Promise.all([...asked, later]), ['closing', 'closing', 'closing']);
});

test('never more are under way or in line than may be, and all are settled', async () => {
  const step = fc.oneof(
    fc.constant('ask' as const),
    fc.record({ drop: fc.nat(20) }),
    fc.record({ end: fc.nat(20), fails: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(4),
      fc.array(step, { maxLength: 40 }),
      async (concurrency, queue, steps) => {
        const { lookups, begun } = scripted(concurrency, queue);
        const asked: { drop(): void; settled: Promise<unknown> }[] = [];
        const open: Ending[] = [];
        let seen = 0;
        const look = async () => {
          await turn();
          for (; seen < begun.length; seen++) open.push(begun[seen]!);
          assert.ok(open.length <= concurrency && lookups.waiting() <= queue);
          if (lookups.waiting() > 0)
            assert.equal(open.length, concurrency, 'nobody waits beside a free place');
        };
        for (const one of steps) {
          if (one === 'ask') {
            const { found, drop } = lookups.ask(String(asked.length));
            asked.push({ drop, settled: found.catch(() => undefined) });
          } else if ('drop' in one) asked[one.drop]?.drop();
          else {
            const [ending] = open.splice(one.end % Math.max(1, open.length), 1);
            if (one.fails) ending?.end.reject(new Error('away'));
            else ending?.end.resolve(true);
          }
          await look();
        }
        while (open.length > 0) {
          open.shift()!.end.resolve(true);
          await look();
        }
        await Promise.all(asked.map(({ settled }) => settled));
        assert.equal(lookups.waiting(), 0);
      },
    ),
  );
});
