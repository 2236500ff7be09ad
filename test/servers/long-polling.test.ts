// Asks a long-polling server on the wire: when a request is answered and with what, and that nothing is lost
// between two requests.

import assert from 'node:assert/strict';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { longPolling } from '../../servers/long-polling.ts';
import { until } from './http/raw-http.ts';
import { setUp } from './long-polling-server.ts';

const jsonOf = (...events: { json: string }[]) => `[${events.map(({ json }) => json).join(',')}]`;

test(
  'the first request is answered at once with a cursor; the ' + 'next is held until there is an event',
  async (t) => {
    const { publish, ask, held, at, counters, hub } = await setUp(t);
    publish('a', '"before"');
    const first = await ask('topics=a');
    assert.deepEqual(
      [first.status, first.headers.get('content-type'), first.headers.get('cache-control')],
      [200, 'application/json', 'no-store'],
    );
    assert.equal(await first.text(), `{"cursor":"${at(1)}","events":[]}`);
    const second = ask(`topics=a,b&since=${at(1)}`);
    await held(1);
    publish('c', '"of no interest"');
    const [third] = publish('b', '{ "x" : 1 }', '"later"');
    const answer = await second;
    assert.deepEqual(
      [answer.status, await answer.text()],
      [200, `{"cursor":"${at(3)}","events":${jsonOf(third!)}}`],
    );
    await held(0);
    assert.equal(hub.subscriptions(), 0);
    const { fullPolls, emptyPolls, events } = counters();
    assert.deepEqual({ fullPolls, emptyPolls, events }, { fullPolls: 1, emptyPolls: 1, events: 1 });
  },
);

test('what was published since the cursor is answered at once', async (t) => {
  const { publish, ask, at } = await setUp(t);
  const events = publish('a', '1', '2', '3');
  assert.equal(
    await (await ask(`topics=a&since=${at(1)}`)).text(),
    `{"cursor":"${at(3)}","events":${jsonOf(...events.slice(1))}}`,
  );
});

test("when the hold is over, 204 says where to go on; the server's hold is the longest", async (t) => {
  const { publish, ask, counters, at, hub } = await setUp(t, { hold: '100ms' });
  publish('b', '1');
  for (const query of ['', '&hold=30', '&hold=0', '&hold=999999999']) {
    const begin = performance.now();
    const answer = await ask(`topics=a&since=${at(0)}${query}`);
    assert.deepEqual(
      [answer.status, answer.headers.get('pushbench-cursor'), await answer.text()],
      [204, at(1), ''],
    );
    const tookMs = performance.now() - begin;
    assert.ok(
      tookMs >= (query === '&hold=0' ? 0 : query === '&hold=30' ? 25 : 95) && tookMs < 5000,
      `${query}: ${tookMs}`,
    );
  }
  assert.equal(counters().emptyPolls, 4);
  assert.equal(hub.subscriptions(), 0);
});

test('a batch collects what comes within it, from the first event on', async (t) => {
  const { publish, ask, held, at } = await setUp(t, { batch: '100ms' });
  const request = ask(`topics=a&since=${at(0)}`);
  await held(1);
  const events = publish('a', '1', '2');
  await sleep(20);
  events.push(...publish('a', '3'));
  publish('b', '"of no interest"');
  assert.equal(await (await request).text(), `{"cursor":"${at(4)}","events":${jsonOf(...events)}}`);
  // What waited already is the first.
  const next = ask(`topics=a&since=${at(2)}`);
  await held(1);
  const [fifth] = publish('a', '4');
  assert.equal(await (await next).text(), `{"cursor":"${at(5)}","events":${jsonOf(events[2]!, fifth!)}}`);
});

test(
  'an answer ends with the event that reaches slowBuffer bytes, ' +
    'and the next goes on behind it; such a batch is over',
  async (t) => {
    const { publish, ask, held, at } = await setUp(t, { batch: '60s' }, { slowBuffer: 1000 });
    const large = `"${'x'.repeat(450)}"`;
    const request = ask(`topics=a&since=${at(0)}`);
    await held(1);
    publish('a', large, large, large, large, `"${'x'.repeat(2000)}"`, large);
    const seqs: number[] = [];
    const sizes: number[] = [];
    let answer = await request;
    while (sizes.length < 4) {
      const { cursor, events } = (await answer.json()) as { cursor: string; events: { seq: number }[] };
      sizes.push(events.length);
      seqs.push(...events.map(({ seq }) => seq));
      // The last is alone, so its batch waits for more.
      if (sizes.length === 3) setTimeout(() => publish('a', large), 20);
      if (sizes.length < 4) answer = await ask(`topics=a&since=${cursor}`);
    }
    assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(sizes, [2, 2, 1, 2]);
  },
);

test('a cursor that comes too late is told so at once', async (t) => {
  const { publish, ask, at, counters } = await setUp(t, {}, { history: 1 });
  const events = publish('a', '1', '2');
  assert.equal(
    await (await ask(`topics=a&since=${at(0)}`)).text(),
    `{"cursor":"${at(2)}","reset":true,"events":${jsonOf(events[1]!)}}`,
  );
  assert.equal(
    await (await ask('topics=b&since=before-1')).text(),
    `{"cursor":"${at(2)}","reset":true,"events":[]}`,
  );
  const { resets, fullPolls, emptyPolls } = counters();
  assert.deepEqual([resets, fullPolls, emptyPolls], [2, 1, 1]);
});

for (const [query, error] of [
  ['topics=', 'no-topics'],
  ['topics=a/b', 'bad-topic'],
  ['topics=a&since=-', 'bad-cursor'],
  ['topics=a&hold=-1', 'bad-hold'],
  ['topics=a&hold=1s', 'bad-hold'],
  ['topics=a&hold=', 'bad-hold'],
] as const) {
  test(`"?${query}" is answered 400 ${error}`, async (t) => {
    const { ask } = await setUp(t);
    const answer = await ask(query);
    assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [400, error]);
  });
}

test(
  'nothing is lost or doubled between two requests, whatever is published while a client asks again',
  { timeout: 60_000 },
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          topics: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
          batchMs: fc.constantFrom(0, 0, 1, 5),
          hold: fc.constantFrom('', '&hold=1', '&hold=10'),
          slowBuffer: fc.constantFrom(1, 400, 1e6),
          // What happens, turn by turn: publish to a topic, wait one turn of the loop, or a few milliseconds.
          steps: fc.array(fc.constantFrom('a', 'b', 'c', 'turn', 'turn', 'wait'), {
            minLength: 30,
            maxLength: 150,
          }),
          cut: fc.boolean(),
        }),
        async ({ topics, batchMs, hold, slowBuffer, steps, cut }) => {
          const { hub, ask, publish, at, disconnect, close } = await setUp(
            t,
            { batch: `${batchMs}ms`, hold: '40ms' },
            { slowBuffer },
          );
          const clients = [1, 2, 3].map(() => ({ seen: [] as string[], cursor: at(0) }));
          let over = false;
          let expected = -1;
          const follow = async (client: (typeof clients)[number]) => {
            while (!over || client.seen.length < expected) {
              try {
                const answer = await ask(
                  `topics=${topics.join(',')}&since=${client.cursor}${over ? '&hold=20' : hold}`,
                );
                if (answer.status === 204) {
                  client.cursor = answer.headers.get('pushbench-cursor')!;
                  continue;
                }
                const { cursor, events, reset } = (await answer.json()) as {
                  cursor: string;
                  events: { id: string }[];
                  reset?: boolean;
                };
                assert.equal(reset, undefined);
                client.cursor = cursor;
                client.seen.push(...events.map(({ id }) => id));
              } catch (error) {
                // Cut off: it asks again from its cursor.
                if (error instanceof assert.AssertionError || !cut) throw error;
              }
            }
          };
          const running = clients.map(follow);
          const published: string[] = [];
          for (const [i, step] of steps.entries()) {
            if (step === 'turn') await setImmediate();
            else if (step === 'wait') await sleep(2);
            else if (topics.includes(step)) published.push(publish(step, '1')[0]!.id);
            else publish(step, '1');
            if (cut && i % 40 === 20) disconnect(0.5);
          }
          expected = published.length;
          over = true;
          await Promise.all(running);
          for (const { seen } of clients) assert.deepEqual(seen, published);
          await until('nobody is left', () => hub.subscriptions() === 0);
          await close();
        },
      ),
      { numRuns: 40 },
    );
  },
);

test('the examples name endpoints that there are, and show how to publish', () => {
  const lines = longPolling
    .examples(patterns['long-polling'].options.parse({}))
    .map(({ command }) => command('http://a:1', 'http://a:2', 'e-0', 'pushbench'));
  assert.ok(lines.every((line) => /http:\/\/a:(1\/long-poll\?topics=|2\/topics\/)/.test(line)));
  assert.ok(lines.some((line) => line.includes('http://a:2/topics/')));
});
