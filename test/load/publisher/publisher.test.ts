// The publisher against a server of the test: the plan, stamps, answers, lag and connections.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { describe, test } from 'vitest';
import { nowUs } from '../../../core/base/clock.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { bodyOf } from '../../../core/plan/bodies.ts';

import { planOf, windowIn, every, topicNames, startServer, startRaw, created, start } from './fixture.ts';

describe('the publisher', () => {
  test('sends every event of the plan, in order, with its stamps, its checksum and its bytes', async () => {
    await using server = await startServer();
    const bodies = ['{"a":1}', ' [1, "zwölf", "\u{1F600}"] ', 'plain\ntext'];
    await using publisher = await start(server.url, planOf(every(7, 30), bodies));
    const window = windowIn(20);
    const { seq, problems } = await publisher.run(window);

    assert.deepEqual(problems, []);
    assert.deepEqual(
      [...seq],
      Array.from({ length: 30 }, (_, i) => Math.floor(i / 3) + 1),
    );
    assert.equal(server.requests.length, 30);
    for (const [i, { path, headers, body, connection }] of server.requests.entries()) {
      assert.equal(path, `/topics/${topicNames[i % 3]}`);
      assert.equal(body.toString(), bodies[i % 3]);
      assert.equal(Number(headers['pushbench-crc']), crc32(body));
      assert.equal(headers['pushbench-planned'], String(window.warmupFromUs + i * 7000));
      assert.match(String(headers['pushbench-sent']), /^\d+$/);
      assert.ok(
        Number(headers['pushbench-sent']) >= Number(headers['pushbench-planned']),
        'no event leaves before its time',
      );
      assert.equal(connection, server.requests[0]!.connection);
    }
    assert.equal(publisher.sent(), 30);
    assert.equal(publisher.confirmed(), 30);
  });

  test('sends the bodies that the plan and the seed generate, more of them than are made ahead', async () => {
    await using server = await startServer();
    const plan = planOf(every(0.02, 12_000), { sizeBytes: 60 });
    await using publisher = await start(server.url, plan, 9);
    const { seq } = await publisher.run(windowIn(0));
    assert.ok(seq.every((one) => one > 0));
    for (const [i, { headers, body }] of server.requests.entries()) {
      assert.ok(Number(headers['pushbench-sent']) >= Number(headers['pushbench-planned']));
      if (i % 500 === 0 || i > 11_990) assert.equal(body.toString(), bodyOf(plan, i, 9));
    }
  });

  test('publishes below the path of its address', async () => {
    await using server = await startServer();
    await using publisher = await start(`${server.url}/base/`, planOf([0]));
    await publisher.run(windowIn(0));
    assert.equal(server.requests[0]!.path, '/base/topics/news');
  });

  test('does not wait for answers: all events are there before the first is answered', async () => {
    const all: Socket[] = [];
    await using server = await startRaw((socket) => {
      all.push(socket);
      if (all.length === 40) socket.write(Array.from({ length: 40 }, (_, i) => created(i + 1)).join(''));
    });
    await using publisher = await start(server.url, planOf(every(3, 40)));
    const { seq, problems } = await publisher.run(windowIn(0));
    assert.deepEqual(
      [...seq],
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    assert.deepEqual(problems, []);
  });

  test('waits for answers in a phase that is longer than a timer of Node can be', async () => {
    await using server = await startRaw(
      (socket, _, nth) => void setTimeout(() => socket.write(created(nth + 1)), 50),
    );
    await using publisher = await start(server.url, planOf([0]));
    const window = windowIn(0);
    const { seq, problems } = await publisher.run({ ...window, toUs: window.toUs + 40 * 86_400e6 });
    assert.deepEqual([[...seq], problems], [[1], []]);
  });

  test('reads answers however they are cut', async () => {
    await using server = await startRaw((socket, _, nth) => {
      if (nth < 4) return;
      void (async () => {
        for (const byte of [1, 2, 3, 4, 5].map(created).join('')) {
          socket.write(byte);
          await sleep(0);
        }
      })();
    });
    await using publisher = await start(server.url, planOf(every(0, 5)));
    assert.deepEqual([...(await publisher.run(windowIn(0))).seq], [1, 2, 3, 4, 5]);
  });

  test('measures lag and round trip of the measured events alone', async () => {
    await using server = await startServer(
      (response, at) => void setTimeout(() => response.writeHead(201).end(`{"id":"e","seq":${at + 1}}`), 100),
    );
    await using publisher = await start(server.url, planOf(every(10, 20)));
    const { lag, roundTrip } = await publisher.run(windowIn(20, 100));
    // Ten of the twenty fall due in the warm-up of 100 ms, the eleventh at its end.
    assert.equal(lag.count, 10);
    assert.equal(roundTrip.count, 10);
    assert.ok(roundTrip.minUs >= 99_000, `${roundTrip.minUs} us`);
    assert.equal(lag.negative, 0);
    assert.ok(quantileUs(lag, 0.5)! < 50_000, `${quantileUs(lag, 0.5)} us`);
  });

  test('one that is late sends all that is due at once, in order, and leaves nothing out', async () => {
    await using server = await startServer();
    await using publisher = await start(server.url, planOf([...every(1, 1000), 4000]));
    const before = nowUs();
    const { seq, lag } = await publisher.run(windowIn(-1000));
    assert.ok(seq.every((one) => one > 0));
    assert.deepEqual(
      server.requests.map(({ headers }) => Number(headers['pushbench-planned'])).toSorted((a, b) => a - b),
      server.requests.map(({ headers }) => Number(headers['pushbench-planned'])),
    );
    assert.ok(lag.maxUs >= 1_000_000 && lag.count === 1001);
    const sent = server.requests.map(({ headers }) => Number(headers['pushbench-sent']));
    // The thousand that were due left together, and the one after them at its own time.
    assert.ok(
      sent[999]! < sent[1000]! - 50_000,
      `${sent[999]! - before} us, then ${sent[1000]! - before} us`,
    );
  });

  test('a plan without events is done at once', async () => {
    await using server = await startServer();
    await using publisher = await start(server.url, planOf([]));
    const { seq, lag, problems } = await publisher.run(windowIn(0));
    assert.deepEqual([seq.length, lag.count, problems], [0, 0, []]);
  });
});
