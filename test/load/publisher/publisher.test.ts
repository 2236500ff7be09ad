// The publisher against a server of the test: the plan, stamps, answers, lag and connections.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { describe, test } from 'vitest';
import { nowUs } from '../../../core/base/clock.ts';
import type { Window } from '../../../core/protocol/control.ts';
import type { PublishPlan } from '../../../core/plan/publish-plan.ts';
import { UserError } from '../../../core/base/errors.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { bodyOf } from '../../../core/plan/bodies.ts';
import { planTopics } from '../../../core/scenario/topics.ts';
import { startPublisher, type Publisher } from '../../../load/publisher/publisher.ts';

const topics = planTopics({
  subscribers: 2,
  topics: {
    news: { publish: { kind: 'constant', perS: 1 }, count: 1, follow: 1 },
    own: { publish: { kind: 'constant', perS: 1 }, count: 'per-subscriber', follow: 1 },
  },
});

/** Events at these milliseconds from the start of the warm-up, on topics and with bodies in turn. */
function planOf(offsetsMs: number[], bodies: string[] | { sizeBytes: number } = ['{"a":1}']): PublishPlan {
  return {
    offsetUs: Float64Array.from(offsetsMs, (ms) => ms * 1000),
    topic: Uint32Array.from(offsetsMs, (_, i) => i % 3),
    body: Int32Array.from(offsetsMs, (_, i) =>
      Array.isArray(bodies) ? i % bodies.length : -bodies.sizeBytes,
    ),
    corpus: Array.isArray(bodies) ? bodies : [],
  };
}

const windowIn = (ms: number, warmupMs = 0, measureMs = 60_000): Window => {
  const warmupFromUs = nowUs() + ms * 1000;
  return {
    warmupFromUs,
    fromUs: warmupFromUs + warmupMs * 1000,
    toUs: warmupFromUs + measureMs * 1000,
    slotUs: 1_000_000,
  };
};

const every = (stepMs: number, count: number) => Array.from({ length: count }, (_, i) => i * stepMs);
const topicNames = ['news', 'own.0', 'own.1'];

async function listen<S extends Server>(server: S) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Request = { path: string; headers: IncomingMessage['headers']; body: Buffer; connection: Socket };

/**
 * A server over `node:http`: keeps every request, and answers as it is told, by default as the wire has it.
 */
async function startServer(answer?: (response: ServerResponse, at: number) => void) {
  const requests: Request[] = [];
  const seqs: Record<string, number> = {};
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const at = requests.length;
    const kept: Request = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.alloc(0),
      connection: request.socket,
    };
    requests.push(kept);
    kept.body = Buffer.concat((await request.toArray()) as Buffer[]);
    if (answer) answer(response, at);
    else
      response.writeHead(201).end(`{"id":"e-${at}","seq":${(seqs[kept.path] = (seqs[kept.path] ?? 0) + 1)}}`);
  });
  const url = await listen(server);
  return {
    url,
    requests,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A server that is handed each request of a connection, as text, and answers in bytes. */
async function startRaw(onRequest: (socket: Socket, request: string, nth: number) => void) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    let [text, nth] = ['', 0];
    socket.on('error', () => {});
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (;;) {
        const head = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/.exec(text)?.[1]);
        if (head < 0 || text.length < head + 4 + length) return;
        onRequest(socket, text.slice(0, head + 4 + length), nth++);
        text = text.slice(head + 4 + length);
      }
    });
  });
  const url = await listen(server);
  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const created = (seq: number) => {
  const body = `{"id":"e-${seq}","seq":${seq}}`;
  return `HTTP/1.1 201 Created\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
};

async function start(url: string, plan: PublishPlan, seed = 1): Promise<Publisher & AsyncDisposable> {
  const publisher = startPublisher({ publishUrl: url, topics, plan, seed });
  await publisher.ready;
  return Object.assign(publisher, { [Symbol.asyncDispose]: async () => publisher.close() });
}

const problemsOf = ({ problems }: { problems: { code: string; message: string; count: number }[] }) =>
  problems.map(({ code, message, count }) => `${count} ${code}: ${message}`);

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
      'the number nought',
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
      await using publisher = await start(server.url, planOf(every(4, 35)));
      const published = await publisher.run(shortWindow());
      assert.equal(new Set(got).size, got.length, 'no event came twice');
      // How many connections it takes depends on how many requests were under way when one ended: on
      // how busy the machine is.
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
      problemsOf(published).includes('2 publish-unsent: an event was not sent, for want of a connection'),
      problemsOf(published).join('\n'),
    );
    assert.ok(published.problems.some(({ code }) => code === 'ECONNREFUSED'));
  });
});
