// The bursts that warm a server up, over a server that keeps what it is sent.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'vitest';
import { createBursts } from '../../../load/publisher/bursts.ts';
import { every, planOf, startServer, topics } from './fixture.ts';

function bursts(t: TestContext, ...urls: string[]) {
  const plan = planOf(every(0, 6), ['"a"', '"b"']);
  const created = createBursts({ publishUrl: urls[0]!, topics, plan, seed: 1 }, urls);
  t.onTestFinished(created.close);
  return created;
}

test('each burst has the events that it is told, on one connection, and counts answers', async (t) => {
  await using server = await startServer();
  const { publish } = bursts(t, server.url);
  assert.equal(await publish(0, 2), 2);
  assert.equal(await publish(2, 6), 4);
  assert.deepEqual(
    server.requests.map(({ path, body }) => `${path} ${body.toString()}`),
    [
      '/topics/news "a"',
      '/topics/own.0 "b"',
      '/topics/own.1 "a"',
      '/topics/news "b"',
      '/topics/own.0 "a"',
      '/topics/own.1 "b"',
    ],
  );
  assert.equal(new Set(server.requests.map(({ connection }) => connection)).size, 1);
});

test('what is refused is not confirmed, and a cut ends the burst at once', async (t) => {
  await using refusing = await startServer(
    (response, at) => void response.writeHead(at === 1 ? 503 : 201).end(),
  );
  assert.equal(await bursts(t, refusing.url).publish(0, 3), 2);
  await using cutting = await startServer((response) => void response.socket?.destroy());
  assert.equal(await bursts(t, cutting.url).publish(0, 3), 0);
});

test('several servers get the events of a burst in turn', async (t) => {
  await using first = await startServer();
  await using second = await startServer();
  assert.equal(await bursts(t, first.url, second.url).publish(0, 6), 6);
  assert.deepEqual(
    [first, second].map(({ requests }) => requests.length),
    [3, 3],
  );
});
