// The publisher when the server does not do its part: what is lost is told, and no wait is in vain.

import assert from 'node:assert/strict';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { startPublisher } from '../../../load/publisher/publisher.ts';

import {
  topics,
  planOf,
  windowIn,
  every,
  listen,
  startServer,
  startRaw,
  created,
  start,
  problemsOf,
} from './fixture.ts';

describe('when the server does not do its part', () => {
  test('an idle connection that the server closes is opened again, and nothing is lost', async () => {
    await using server = await startServer();
    await using publisher = await start(server.url, planOf([0, 400]));
    server.server.closeIdleConnections();
    const run = publisher.run(windowIn(100));
    while (server.requests.length === 0) await sleep(5);
    await sleep(50);
    server.server.closeIdleConnections();
    const published = await run;
    assert.deepEqual([...published.seq], [1, 1]);
    assert.deepEqual(published.problems, []);
    assert.notEqual(server.requests[0]!.connection, server.requests[1]!.connection);
  });

  const answers: [reads: string, status: number, body: string, problem: string][] = [
    ['a refusal', 413, 'too large', '1 publish-refused: an event was answered with status 413: too large'],
    [
      'an answer without a number',
      201,
      '{"id":"e-1"}',
      '1 publish-answer: the answer to an event gives it no "seq"',
    ],
    [
      'the number zero',
      201,
      '{"id":"e-1","seq":0}',
      '1 publish-answer: the answer to an event gives it no "seq"',
    ],
    [
      'a refusal without end',
      500,
      'x'.repeat(100_000),
      `1 publish-refused: an event was answered with status 500: ${'x'.repeat(200)}`,
    ],
  ];
  for (const [reads, status, body, problem] of answers) {
    test(`${reads} leaves the event unconfirmed and is reported`, async () => {
      await using server = await startServer(
        (response, at) =>
          void (at === 1
            ? response.writeHead(status).end(body)
            : response.writeHead(201).end(`{"id":"e","seq":${at + 1}}`)),
      );
      await using publisher = await start(server.url, planOf(every(5, 3)));
      const published = await publisher.run(windowIn(0));
      assert.deepEqual([...published.seq], [1, 0, 3]);
      assert.deepEqual(problemsOf(published), [problem]);
    });
  }

  test('the same problem again is counted, not listed', async () => {
    await using server = await startServer((response) => void response.writeHead(503).end('full'));
    await using publisher = await start(server.url, planOf(every(1, 50)));
    assert.deepEqual(problemsOf(await publisher.run(windowIn(0))), [
      '50 publish-refused: an event was answered with status 503: full',
    ]);
  });

  test('an answer that nothing had asked for ends the connection', async () => {
    let asked = 0;
    await using server = await startRaw(
      (socket, _, nth) => void socket.write(created(nth + 1) + (asked++ === 0 ? created(99) : '')),
    );
    await using publisher = await start(server.url, planOf([0, 300]));
    const published = await publisher.run(windowIn(0));
    assert.deepEqual([...published.seq], [1, 1]);
    assert.deepEqual(problemsOf(published), [
      '1 publish-unasked: the server sent an answer that no event had asked for',
    ]);
  });

  test('what is no HTTP ends the connection', async () => {
    await using server = await startRaw(
      (socket, _, nth) => void socket.write(nth === 0 ? 'SSH-2.0-OpenSSH\r\n\r\n' : created(1)),
    );
    await using publisher = await start(server.url, planOf([0]));
    const published = await publisher.run(windowIn(0));
    assert.deepEqual([...published.seq], [0]);
    assert.deepEqual(
      published.problems.map(({ code, count }) => [code, count]),
      [
        ['http-head', 1],
        ['publish-cut', 1],
      ],
    );
  });

  test('more than 64 MiB that the server does not take fail the run', async () => {
    const server = createTcpServer((socket) => void socket.on('error', () => {}).pause());
    const url = await listen(server);
    const publisher = await start(url, planOf(every(1, 120), [JSON.stringify('x'.repeat(1024 ** 2))]));
    await assert.rejects(publisher.run(windowIn(0)), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, 'publisher-backlog');
      assert.equal(error.exitCode, 3);
      assert.equal(
        error.message,
        'the server takes events more slowly than they are published: more than 64 MiB of them wait. ' +
          'Publish less, or smaller ones',
      );
      return true;
    });
    assert.ok(publisher.sent() < 120);
    server.close();
  });
});

/** Over before the 5 s are that answers are waited for. */
const shortWindow = () => windowIn(0, 0, 1000);

// Each of these waits for about 5 s.
describe('it waits for answers, and not for ever', { concurrent: true }, () => {
  test(
    'events whose answers are lost with the connection are unconfirmed ' +
      'and never sent again; the rest goes on',
    async () => {
      const got: string[] = [];
      const connections = new Set<Socket>();
      let seq = 0;
      await using server = await startRaw((socket, request, nth) => {
        connections.add(socket);
        got.push(/pushbench-planned: (\d+)/.exec(request)![1]!);
        // Of each seven requests on a connection the first four are answered; with the seventh it ends.
        if (nth < 4) socket.write(created(++seq));
        else if (nth === 6) socket.destroy();
      });
      const offsetsMs = [...every(4, 20), ...every(4, 15).map((ms) => 2000 + ms)];
      await using publisher = await start(server.url, planOf(offsetsMs));
      const published = await publisher.run(shortWindow());
      assert.equal(new Set(got).size, got.length, 'no event came twice');
      // How many connections the first twenty take depends on how many requests were under way when one
      // ended: on how busy the machine is. The others come when that connection is known to have ended.
      assert.ok(connections.size >= 2);
      const confirmed = published.seq.filter((one) => one > 0).length;
      assert.ok(
        confirmed >= 4 * (connections.size - 1) && confirmed <= 4 * connections.size,
        `${confirmed} of ${connections.size} connections`,
      );
      assert.equal(publisher.confirmed(), confirmed);
      const lost = published.problems.find(({ code }) => code === 'publish-cut');
      assert.equal(
        lost?.message,
        'the connection ended before the server had answered; whether it took the event is not known',
      );
      // Where the last connection stood when the events ended decides how many of the others
      // it simply left unanswered.
      const unanswered = published.problems.find(({ code }) => code === 'publish-unanswered')?.count ?? 0;
      assert.equal(lost.count + unanswered, 35 - confirmed);
    },
  );

  test('more than 5 s while the measured phase goes on', async () => {
    await using server = await startRaw(
      (socket, _, nth) => void setTimeout(() => socket.write(created(nth + 1)), 5500),
    );
    await using publisher = await start(server.url, planOf([0]));
    const { seq, problems } = await publisher.run(windowIn(0, 0, 30_000));
    assert.deepEqual([[...seq], problems], [[1], []]);
  });

  test('for a server that is not there', async () => {
    const server = createTcpServer();
    const url = await listen(server);
    server.close();
    const publisher = startPublisher({ publishUrl: url, topics, plan: planOf([0]), seed: 1 });
    await assert.rejects(publisher.ready, (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, 'publisher-unreachable');
      assert.match(
        error.message,
        /^cannot connect to http:\/\/127\.0\.0\.1:\d+ to publish: connect ECONNREFUSED/,
      );
      return true;
    });
    publisher.close();
  });

  test('for answers that do not come', async () => {
    await using server = await startRaw((socket, _, nth) => void (nth < 2 && socket.write(created(nth + 1))));
    await using publisher = await start(server.url, planOf(every(1, 6)));
    const published = await publisher.run(shortWindow());
    assert.deepEqual([...published.seq], [1, 2, 0, 0, 0, 0]);
    assert.deepEqual(problemsOf(published), [
      '4 publish-unanswered: the server had not answered 5 s after the last event',
    ]);
  });

  test('for a server that has gone', async () => {
    const server = await startServer();
    await using publisher = await start(server.url, planOf([0, 200, 400]));
    const run = publisher.run(shortWindow());
    while (publisher.confirmed() < 1) await sleep(5);
    await server[Symbol.asyncDispose]();
    const published = await run;
    assert.deepEqual([...published.seq], [1, 0, 0]);
    assert.ok(
      problemsOf(published).includes(
        '2 publish-unsent: an event was not sent, because there was no connection',
      ),
      problemsOf(published).join('\n'),
    );
    assert.ok(published.problems.some(({ code }) => code === 'ECONNREFUSED'));
  });
});
