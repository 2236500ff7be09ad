// One request of a topic at a time, over a server that says what is under way at once: our servers' dialect.
// The dialect of targets is test/load/target/publisher.test.ts.

import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { test, type TestContext } from 'vitest';
import { ownDialect } from '../../../load/publisher/dialect.ts';
import { startInTurn } from '../../../load/publisher/in-turn.ts';
import { listen, windowIn } from './fixture.ts';

type Taken = { path: string; body: string; answer(status?: number, text?: string): void };

/** A server that answers when it is told to. */
async function startHeld(t: TestContext) {
  const taken: Taken[] = [];
  const open = new Map<string, number>();
  let most = 0;
  const server = createServer(async (request, response: ServerResponse) => {
    const path = request.url!;
    open.set(path, (open.get(path) ?? 0) + 1);
    most = Math.max(most, open.get(path)!);
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    taken.push({
      path,
      body,
      answer(status = 201, text = `{"id":"e","seq":${taken.filter((one) => one.path === path).length}}`) {
        open.set(path, open.get(path)! - 1);
        response.writeHead(status).end(text);
      },
    });
  });
  const url = await listen(server);
  t.onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const hasTaken = async (count: number) => {
    while (taken.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { url, taken, hasTaken, mostOfATopic: () => most };
}

/** Event `i` on topic `topicOf[i]` of 40, with the body `i`; all due at once. */
async function publish(t: TestContext, url: string, topicOf: number[]) {
  const publisher = startInTurn(
    {
      publishUrl: url,
      topics: [{ name: 'news', count: 40, follow: 1, first: 0 }],
      plan: {
        offsetUs: new Float64Array(topicOf.length),
        topic: Uint32Array.from(topicOf),
        body: Int32Array.from(topicOf, (_, i) => i),
        corpus: topicOf.map((_, i) => String(i)),
      },
      seed: 1,
    },
    ownDialect(url),
  );
  t.onTestFinished(() => publisher.close());
  await publisher.ready;
  return { done: publisher.run(windowIn(5)), publisher };
}

test("a topic's events go one after the other, topics side by side, with the server's numbers", async (t) => {
  const held = await startHeld(t);
  const { done, publisher } = await publish(t, held.url, [0, 0, 0, 1, 1]);
  await held.hasTaken(2);
  // Time for more to come, were more sent.
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(held.taken.map(({ path, body }) => `${path} ${body}`).toSorted(), [
    '/topics/news.0 0',
    '/topics/news.1 3',
  ]);
  assert.equal(publisher.sent(), 2);
  for (let i = 0; i < 5; i++) {
    await held.hasTaken(i + 1);
    held.taken[i]!.answer();
  }
  const { seq, problems, unconfirmed, lag, roundTrip } = await done;
  assert.deepEqual([...seq], [1, 2, 3, 1, 2]);
  assert.deepEqual([problems, unconfirmed, lag.count, roundTrip.count], [[], [], 5, 5]);
  assert.equal(held.mostOfATopic(), 1);
  assert.deepEqual(
    held.taken.filter(({ path }) => path === '/topics/news.0').map(({ body }) => body),
    ['0', '1', '2'],
  );
});

test('a topic that gets no answer holds up no other one, however many topics there are', async (t) => {
  const held = await startHeld(t);
  // Topic 0 hangs, with a second event behind it; 39 others share the other 31 connections.
  const others = Array.from({ length: 39 }, (_, i) => i + 1);
  const { done } = await publish(t, held.url, [0, 0, ...others, ...others]);
  for (let i = 0; i < 79; i++) {
    await held.hasTaken(i + 1);
    if (held.taken[i]!.body !== '0') held.taken[i]!.answer();
  }
  assert.ok(!held.taken.some(({ body }) => body === '1'), 'the event behind the one that hangs waits');
  held.taken.find(({ body }) => body === '0')!.answer();
  await held.hasTaken(80);
  held.taken[79]!.answer();
  const { seq } = await done;
  assert.deepEqual([...seq.subarray(0, 2)], [1, 2]);
  assert.ok(seq.every((one) => one > 0));
  assert.equal(held.mostOfATopic(), 1);
});

test('an event that is refused uses up no number of ours, and one without a number is told', async (t) => {
  const held = await startHeld(t);
  const { done } = await publish(t, held.url, [0, 0, 0]);
  await held.hasTaken(1);
  held.taken[0]!.answer(503, 'too many topics');
  await held.hasTaken(2);
  held.taken[1]!.answer(201, '{}');
  await held.hasTaken(3);
  held.taken[2]!.answer(201, '{"id":"e","seq":7}');
  const { seq, unconfirmed, problems } = await done;
  assert.deepEqual([[...seq], unconfirmed], [[0, 0, 7], []]);
  assert.deepEqual(
    problems.map(({ code, message }) => `${code}: ${message}`),
    [
      'publish-refused: an event was answered with status 503: too many topics',
      'publish-answer: the answer to an event gives it no "seq"',
    ],
  );
});
