// The publisher over several servers: whatever one of them does, each event is confirmed once, by some
// server.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { numbered } from '../../../core/plan/numbering.ts';
import type { PublishPlan } from '../../../core/plan/publish-plan.ts';
import { startOverServers } from '../../../load/publisher/over-servers.ts';
import {
  created,
  every,
  listen,
  planOf,
  problemsOf,
  startRaw,
  startServer,
  topicNames,
  topics,
  windowIn,
} from './fixture.ts';

async function start(t: TestContext, plan: PublishPlan, ...urls: string[]) {
  const setup = { publishUrl: urls[0]!, topics, plan: numbered(plan, undefined, 3).publish, seed: 1 };
  const publisher = startOverServers(setup, urls);
  t.onTestFinished(publisher.close);
  await publisher.ready;
  return publisher;
}

test('events go to the servers in turn, with their numbers and a key each', async (t) => {
  await using first = await startServer();
  await using second = await startServer();
  const publisher = await start(t, planOf(every(50, 8)), first.url, second.url);
  await sleep(100); // both connections are there
  const published = await publisher.run(windowIn(20));
  assert.deepEqual(published.problems, []);
  assert.equal(publisher.confirmed(), 8);
  assert.deepEqual(
    [first, second].map(({ requests }) => requests.length),
    [4, 4],
  );
  const sent = [...first.requests, ...second.requests].map(({ path, headers }) => [
    path,
    headers['pushbench-seq'],
    headers['idempotency-key'],
  ]);
  assert.deepEqual(
    sent.toSorted((a, b) => String(a).localeCompare(String(b))),
    [
      ['/topics/news', '1', '"news-1"'],
      ['/topics/news', '2', '"news-2"'],
      ['/topics/news', '3', '"news-3"'],
      ['/topics/own.0', '1', '"own.0-1"'],
      ['/topics/own.0', '2', '"own.0-2"'],
      ['/topics/own.0', '3', '"own.0-3"'],
      ['/topics/own.1', '1', '"own.1-1"'],
      ['/topics/own.1', '2', '"own.1-2"'],
    ],
  );
});

test('an event is not taken before one of its topic that another server still has', async (t) => {
  const taken: string[] = [];
  const take = (server: Awaited<ReturnType<typeof startServer>>, response: ServerResponse, at: number) => {
    const { path, headers } = server.requests[at]!;
    taken.push(`${path} ${String(headers['pushbench-seq'])}`);
    response.writeHead(201).end('{"id":"e-1","seq":1}');
  };
  await using slow = await startServer((response, at) => void setTimeout(() => take(slow, response, at), 30));
  await using quick = await startServer((response, at) => take(quick, response, at));
  const publisher = await start(t, planOf(every(2, 60)), slow.url, quick.url);
  await sleep(100);
  assert.deepEqual((await publisher.run(windowIn(20))).problems, []);
  assert.ok(slow.requests.length > 0 && quick.requests.length > 0);
  for (const topic of topicNames)
    assert.deepEqual(
      taken.filter((one) => one.startsWith(`/topics/${topic} `)),
      Array.from({ length: 20 }, (_, i) => `/topics/${topic} ${i + 1}`),
    );
});

test('a server that sent an event away gets nothing behind it until it takes one', async (t) => {
  const taken: string[] = [];
  await using server = await startServer((response, at) => {
    if (at < 2) return void response.writeHead(503).end();
    taken.push(String(server.requests[at]!.headers['pushbench-seq']));
    response.writeHead(201).end('{"id":"e-1","seq":1}');
  });
  const plan = planOf([0, ...every(2, 20).map((ms) => 100 + ms)]);
  plan.topic.fill(0);
  const publisher = await start(t, plan, server.url);
  assert.deepEqual((await publisher.run(windowIn(20))).problems, []);
  assert.deepEqual(
    taken,
    Array.from({ length: 21 }, (_, i) => String(i + 1)),
  );
});

/** What a server does with its third request and all that follow. */
const failures: Record<string, (respond: () => void, drop: () => void) => void> = {
  'closes the connection': (_respond, drop) => drop(),
  'takes the event and closes before it answers': (_respond, drop) => setTimeout(drop, 20),
  'stands still': () => {},
};

for (const [what, fail] of Object.entries(failures))
  test(`a server that ${what} loses nothing: another takes what it had`, async (t) => {
    await using healthy = await startServer();
    await using failing = await startRaw((socket, _request, nth) => {
      if (nth < 2) socket.write(created(1));
      else
        fail(
          () => socket.write(created(1)),
          () => socket.destroy(),
        );
    });
    const publisher = await start(t, planOf(every(2, 40)), failing.url, healthy.url);
    await sleep(100);
    const published = await publisher.run(windowIn(20));
    assert.deepEqual(published.problems, []);
    assert.equal(publisher.confirmed(), 40);
  });

test('a server that answers 503 is left alone for a while, and its events go elsewhere', async (t) => {
  await using refusing = await startServer((response) => void response.writeHead(503).end());
  await using healthy = await startServer();
  const publisher = await start(t, planOf(every(10, 40)), refusing.url, healthy.url);
  await sleep(100);
  assert.deepEqual((await publisher.run(windowIn(20))).problems, []);
  assert.equal(healthy.requests.length, 40);
  assert.ok(refusing.requests.length < 10, `${refusing.requests.length} were sent to it`);
});

test('while no server takes events they wait, and go when one does', async (t) => {
  let refuses = true;
  await using server = await startServer((response, at) => {
    if (refuses) response.writeHead(503).end();
    else response.writeHead(201).end(`{"id":"e-${at}","seq":${at + 1}}`);
  });
  const publisher = await start(t, planOf(every(2, 20)), server.url);
  setTimeout(() => (refuses = false), 600);
  const published = await publisher.run(windowIn(20));
  assert.deepEqual(published.problems, []);
  assert.equal(publisher.confirmed(), 20);
});

test('an event that is refused for itself is not sent elsewhere, and is reported', async (t) => {
  await using first = await startServer((response) => void response.writeHead(413).end('too large'));
  const publisher = await start(t, planOf([0]), first.url);
  assert.deepEqual(problemsOf(await publisher.run(windowIn(20))), [
    '1 publish-refused: an event was answered with status 413: too large',
  ]);
});

test('servers that cannot be reached are told of', async (t) => {
  const setup = { publishUrl: '', topics, plan: planOf([0]), seed: 1 };
  const publisher = startOverServers(setup, ['http://127.0.0.1:1', 'http://127.0.0.1:2']);
  t.onTestFinished(publisher.close);
  await assert.rejects(publisher.ready, (error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /cannot connect to any of 2 servers to publish/);
    return true;
  });
}, 20_000);

test('servers that take nothing to the end are given up on, and each event is told of', async (t) => {
  await using server = await startServer((response) => void response.writeHead(503).end());
  const publisher = await start(t, planOf(every(5, 3)), server.url);
  const { seq, problems } = await publisher.run(windowIn(20, 0, 100));
  assert.deepEqual([...seq], [0, 0, 0]);
  assert.equal(
    problems.reduce((sum, { count }) => sum + count, 0),
    3,
    JSON.stringify(problems),
  );
}, 20_000);

test('a server that accepts and closes is not asked again and again without a wait', async (t) => {
  let dials = 0;
  await using healthy = await startServer();
  const closing = createServer((socket) => {
    dials++;
    socket.on('error', () => {}).destroy();
  });
  const url = await listen(closing);
  t.onTestFinished(() => void closing.close());
  const publisher = await start(t, planOf(every(20, 30)), url, healthy.url);
  assert.deepEqual((await publisher.run(windowIn(20))).problems, []);
  assert.equal(publisher.confirmed(), 30);
  assert.ok(dials < 100, `${dials} connections`);
});
