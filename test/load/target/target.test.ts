// The subscribers and the publisher of a target, against systems with ways of their own: node:http, and `ws`
// as the oracle for sockets.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { constants, createGzip, gzipSync } from 'node:zlib';
import { describe, test, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { nowUs } from '../../../core/base/clock.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../core/event/envelope.ts';
import type { TargetAccess } from '../../../core/target/access.ts';
import { accessOf } from '../../../core/target/access.ts';
import { parseTarget } from '../../../core/target/file.ts';
import { startTarget } from '../../../load/target/loads.ts';
import { startTargetPublisher } from '../../../load/target/publisher.ts';
import { certificate, key } from '../certificate.ts';
import { listen, testContext, until, type Seen } from '../context.ts';

const run = 'k3f9a1x2y7';

function event(seq: number, topic = 'news', of = run): string {
  return encodeEnvelope({
    id: `${of}-${seq}`,
    topic,
    seq,
    plannedUs: 1,
    sentUs: 2,
    acceptedUs: 0,
    body: `{"n":${seq}}`,
  });
}

/** @param yaml what stands below `name` and `url` in a target file */
function access(url: string, yaml: string, env: Record<string, string> = {}): TargetAccess {
  const text =
    `name: feed\nurl: ${url}\n` + `${yaml.includes('publish:') ? '' : 'publish: /pub/{topic}\n'}${yaml}`;
  return { ...accessOf(parseTarget(text, 'feed.yaml'), 'feed.yaml', env, () => certificate), run };
}

type Subscribed = Seen & { notes: string[] };

async function subscribe(
  t: TestContext,
  pattern: string,
  target: TargetAccess,
  options: Record<string, unknown> = {},
  topics = ['news'],
): Promise<Subscribed> {
  const seen = testContext('http://127.0.0.1:1', { topicsOf: () => topics });
  const notes: string[] = [];
  const load = await startTarget(pattern, options, {
    context: seen.context,
    access: target,
    note: (_code, message) => void notes.push(message),
  });
  t.onTestFinished(() => load.close(500));
  load.open(0);
  return { ...seen, notes };
}

function httpServer(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  return listen(t, createServer(answer));
}

const stream = { 'content-type': 'text/event-stream' };
const polls = { every: 20, jitter: 0, connection: 'keep-alive' };

describe('sse', () => {
  test('a connection for each topic where the URL has {topic}; subscribed when all stand', async (t) => {
    const asked: string[] = [];
    const held: ServerResponse[] = [];
    const url = await httpServer(t, (request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      held.push(response);
      if (held.length === 2)
        for (const [i, one] of held.entries()) {
          one.writeHead(200, stream);
          one.write(
            `: hello\n\nevent: own-name\nid: x${i}\ndata: ` +
              `{"wrapped":${JSON.stringify(event(i + 1, ['news', 'mail'][i]))}}\n\n`,
          );
        }
    });
    const target = access(
      url,
      'subscribe: { sse: "/feed/{topic}" }\nheaders: { Authorization: "Bearer ${T}" }',
      { T: 'tok-1234' },
    );
    const seen = await subscribe(t, 'sse', target, {}, ['news', 'mail']);
    await until(() => seen.bodies.get(0)?.length === 2);
    assert.deepEqual(asked.sort(), [
      `/feed/mail.${run} Bearer tok-1234`,
      `/feed/news.${run} Bearer tok-1234`,
    ]);
    assert.deepEqual(seen.ready, [0]);
    assert.deepEqual(seen.bodies.get(0)?.sort(), ['{"n":1}', '{"n":2}']);
    assert.deepEqual([seen.counters.events, seen.counters.handshakes, seen.problems], [2, 2, []]);
  });

  test(
    'one for all with {topics}; one that loses a connection is ' + 'lost and comes back from its last id',
    async (t) => {
      const asked: string[] = [];
      const url = await httpServer(t, (request, response) => {
        asked.push(`${request.url} ${request.headers['last-event-id'] ?? '-'}`);
        response.writeHead(200, stream);
        response.write(`id: e${asked.length}\ndata: ${event(asked.length)}\n\n`);
        if (asked.length === 1) setTimeout(() => response.end(), 20);
      });
      const seen = await subscribe(
        t,
        'sse',
        access(url, 'subscribe: { sse: "/feed?of={topics}" }\ntopics: fixed'),
        {},
        ['news', 'mail'],
      );
      await until(() => seen.bodies.get(0)?.length === 2);
      assert.deepEqual(asked, ['/feed?of=news,mail -', '/feed?of=news,mail e1']);
      assert.deepEqual([seen.ready, seen.lost], [[0, 0], [0]]);
    },
  );

  test('a target that sends everything to everybody: each picks what it follows', async (t) => {
    const url = await httpServer(t, (_request, response) => {
      response.writeHead(200, stream);
      response.write(`data: ${event(1)}\n\ndata: ${event(1, 'other')}\n\ndata: ${event(2)}\n\n`);
    });
    const seen = await subscribe(t, 'sse', access(url, 'subscribe: { sse: /all }'));
    await until(() => seen.bodies.get(0)?.length === 2);
    assert.deepEqual([seen.bodies.get(0), seen.counters.events], [['{"n":1}', '{"n":2}'], 2]);
  });

  test('what is not ours is noted as it looked, with no secret in it, and is no mishap', async (t) => {
    const url = await httpServer(t, (request, response) => {
      response.writeHead(200, stream);
      response.write(
        `data: {"hello":"${request.headers['x-key']}"}\n\ndata: ` +
          `${event(1, 'news', 'another0ne')}\n\ndata: ${event(1)}\n\n`,
      );
    });
    const seen = await subscribe(
      t,
      'sse',
      access(url, 'subscribe: { sse: /all }\nheaders: { x-key: "${K}" }', { K: 'sesame-7' }),
    );
    await until(() => seen.bodies.get(0)?.length === 1);
    assert.match(seen.notes[0]!, /^a message carried no event of ours: "\{\\"hello\\":\\"\$\{K\}\\"\}"$/);
    assert.deepEqual([seen.problems, seen.counters.heartbeats], [[], 2]);
  });

  test('garbage for a stream is a mishap, and is tried again', async (t) => {
    let asked = 0;
    const url = await httpServer(t, (_request, response) => {
      asked++;
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<h1>It works!</h1>');
    });
    const seen = await subscribe(t, 'sse', access(url, 'subscribe: { sse: /all }'));
    await until(() => asked >= 2);
    assert.deepEqual(seen.ready, []);
    assert.deepEqual(seen.problems[0], {
      code: 'http-type',
      message: 'the stream has the content type "text/html", not "text/event-stream"',
    });
  });

  test("over TLS with an authority of the user's own", async (t) => {
    const server = createSecure({ cert: certificate, key }, (_request, response) => {
      response.writeHead(200, stream);
      response.write(`data: ${event(1)}\n\n`);
    });
    const plain = await listen(t, server);
    const seen = await subscribe(
      t,
      'sse',
      access(plain.replace('http:', 'https:'), 'subscribe: { sse: /all }\ntls: { ca: ca.pem }'),
    );
    await until(() => seen.bodies.get(0)?.length === 1);
    assert.deepEqual([seen.problems, seen.counters.connectionsOpened], [[], 1]);
    const distrusted = await subscribe(
      t,
      'sse',
      access(plain.replace('http:', 'https:'), 'subscribe: { sse: /all }'),
    );
    await until(() => distrusted.problems.length > 0);
    assert.match(distrusted.problems[0]!.code, /SELF_SIGNED/);
    assert.deepEqual(distrusted.ready, []);
  });
});

test('http-stream: lines, whatever else stands in them', async (t) => {
  const url = await httpServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write(`{"type":"ready"}\n{"e":${event(1)}}\n${event(2)}\n`);
  });
  const seen = await subscribe(
    t,
    'http-stream',
    access(url, 'subscribe: { http-stream: "/lines/{topics}" }'),
  );
  await until(() => seen.bodies.get(0)?.length === 2);
  assert.deepEqual([seen.ready, seen.counters.heartbeats], [[0], 1]);
});

describe('polling', () => {
  test('who is told to come back later than a timer can wait is not asked again at once', async (t) => {
    const asked = { gone: 0, there: 0 };
    const url = await httpServer(t, (request, response) => {
      const gone = request.url === '/gone';
      asked[gone ? 'gone' : 'there']++;
      if (gone) response.writeHead(503, { 'retry-after': '99999999' });
      response.end();
    });
    await subscribe(t, 'polling', access(url, 'subscribe: { polling: /gone }'), polls);
    await until(() => asked.gone > 0);
    await subscribe(t, 'polling', access(url, 'subscribe: { polling: /there }'), polls);
    await until(() => asked.there >= 10);
    assert.equal(asked.gone, 1);
  });

  test('etag: validators of the last answer go into the next request', async (t) => {
    const asked: string[] = [];
    const url = await httpServer(t, ({ headers }, response) => {
      asked.push(`${headers['if-none-match'] ?? '-'} ${headers['if-modified-since'] ?? '-'}`);
      if (asked.length === 1)
        response.writeHead(200, { etag: '"a"', 'last-modified': 'Mon' }).end(`[${event(1)},${event(2)}]`);
      else response.writeHead(304).end();
    });
    const seen = await subscribe(t, 'polling', access(url, 'subscribe: { polling: /poll }'), polls);
    await until(() => asked.length >= 3);
    assert.deepEqual(asked.slice(0, 3), ['- -', '"a" Mon', '"a" Mon']);
    assert.equal(seen.counters.events, 2);
    assert.equal(seen.counters.fullPolls, 1);
    assert.ok(seen.counters.emptyPolls >= 1);
  });

  for (const [reads, cursor, answer] of [
    [
      'a response header',
      '{ parameter: since, header: X-Next }',
      (n: number) => ({ headers: { 'x-next': `c ${n}` }, body: `{"events":[${event(n)}]}` }),
    ],
    [
      'a field of the body',
      '{ parameter: since, field: page.next }',
      (n: number) => ({ headers: {}, body: `{"page":{"next":"c ${n}"},"events":[${event(n)}]}` }),
    ],
  ] as const) {
    test(`a cursor from ${reads} goes into the query`, async (t) => {
      const asked: string[] = [];
      const url = await httpServer(t, (request, response) => {
        asked.push(request.url!);
        const { headers, body } = answer(asked.length);
        response.writeHead(200, headers).end(body);
      });
      await subscribe(
        t,
        'polling',
        access(url, `subscribe: { polling: { url: "/poll?of={topics}", cursor: ${cursor} } }\ntopics: fixed`),
        polls,
      );
      await until(() => asked.length >= 2);
      assert.deepEqual(asked.slice(0, 2), ['/poll?of=news', '/poll?of=news&since=c%201']);
    });
  }

  test('none: every answer brings everything, and each event counts once', async (t) => {
    let asked = 0;
    const url = await httpServer(
      t,
      (_request, response) =>
        void response.end(`[${Array.from({ length: ++asked }, (_, i) => event(i + 1)).join(',')}]`),
    );
    const seen = await subscribe(
      t,
      'polling',
      access(url, 'subscribe: { polling: { url: /list, cursor: none } }'),
      polls,
    );
    await until(() => asked >= 4);
    const bodies = seen.bodies.get(0)!;
    assert.deepEqual(
      bodies,
      bodies.map((_, i) => `{"n":${i + 1}}`),
    );
  });

  test('untilEmpty: asks again at once while answers bring an event', async (t) => {
    let asked = 0;
    const url = await httpServer(t, (_request, response) => {
      asked++;
      if (asked <= 20) response.end(event(asked));
      else response.writeHead(304).end();
    });
    // At this interval alone the second poll would come after the test.
    const seen = await subscribe(
      t,
      'polling',
      access(url, 'subscribe: { polling: { url: /one, untilEmpty: true } }'),
      { ...polls, every: 1_000_000 },
    );
    await until(() => seen.bodies.get(0)?.length === 20);
  });
});

test(
  'long polling: subscribed while the first request is ' + 'held, 408 ends a hold and is no mishap',
  async (t) => {
    const asked: string[] = [];
    const url = await httpServer(t, ({ headers }, response) => {
      asked.push(headers['if-none-match'] ?? '-');
      if (asked.length === 1) setTimeout(() => response.writeHead(408).end(), 400);
      else if (asked.length === 2)
        response
          .writeHead(200, { etag: '7', 'content-type': 'multipart/mixed; boundary=b' })
          .end(`--b\r\n\r\n${event(1)}\r\n--b\r\n\r\n${event(2)}\r\n--b--`);
    });
    const seen = await subscribe(
      t,
      'long-polling',
      access(url, 'subscribe: { long-polling: "/held/{topics}" }'),
      { connection: 'keep-alive' },
    );
    await until(() => seen.ready.length === 1);
    assert.equal(asked.length, 1);
    await until(() => asked.length === 3);
    assert.deepEqual(asked, ['-', '-', '7']);
    assert.deepEqual(
      [seen.counters.events, seen.counters.fullPolls, seen.counters.emptyPolls, seen.problems],
      [2, 1, 1, []],
    );
  },
);

describe('websocket', () => {
  async function socketServer(
    t: TestContext,
    more: { handleProtocols?: () => string | false; perMessageDeflate?: boolean } = {},
  ) {
    const server = createServer();
    const sockets = new WebSocketServer({ server, ...more });
    const url = await listen(t, server);
    return { url, sockets };
  }

  test(
    'says what the file says to say, asks for the ' + 'subprotocol, and finds events in text and binary',
    async (t) => {
      const { url, sockets } = await socketServer(t, { handleProtocols: () => 'feed.v1' });
      const said: string[] = [];
      sockets.on('connection', (socket, request) => {
        said.push(request.url!);
        socket.on('message', (message) => {
          said.push(String(message));
          if (said.length < 4) return;
          socket.send(`{"pub":${event(1)}}\n{"pub":${event(2)}}`);
          socket.send(Buffer.from(event(3)), { binary: true });
        });
      });
      const yaml =
        `subscribe: { websocket: { url: "ws://127.0.0.1:${new URL(url).port}/ws", protocol: feed.v1, send: ` +
        `['{"connect":{}}', '{"subscribe":"{topic}"}'] } }\ntopics: fixed`;
      const seen = await subscribe(t, 'websocket', access(url, yaml), { deflate: false }, ['news', 'mail']);
      await until(() => seen.bodies.get(0)?.length === 3);
      assert.deepEqual(said, ['/ws', '{"connect":{}}', '{"subscribe":"news"}', '{"subscribe":"mail"}']);
      assert.deepEqual([seen.ready, seen.problems, seen.counters.upstreamMessages], [[0], [], 3]);
    },
  );

  test('compressed, and reconnecting after a close', async (t) => {
    const { url, sockets } = await socketServer(t, { perMessageDeflate: true });
    let connections = 0;
    sockets.on('connection', (socket) => {
      connections++;
      socket.send(`{"wrapped":${event(connections)},"pad":"${'x'.repeat(2000)}"}`);
      if (connections === 1) setTimeout(() => socket.close(1001), 20);
    });
    const seen = await subscribe(t, 'websocket', access(url, 'subscribe: { websocket: /ws }'), {
      deflate: true,
    });
    await until(() => seen.bodies.get(0)?.length === 2);
    assert.deepEqual([seen.ready, seen.lost, seen.counters.reconnects], [[0, 0], [0], 1]);
    assert.ok(seen.counters.bytesIn < 2000);
  });
});

describe('compressed', () => {
  const options = { ...polls, gzip: true };
  for (const [pattern, type, before] of [
    ['sse', 'text/event-stream', 'data: '],
    ['http-stream', 'text/plain', ''],
  ] as const) {
    test(`${pattern}: asked for, read as it is flushed, and counted as it came`, async (t) => {
      const asked: unknown[] = [];
      const url = await httpServer(t, (request, response) => {
        asked.push(request.headers['accept-encoding']);
        response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
        const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
        gzip.pipe(response);
        for (const seq of [1, 2])
          gzip.write(`${before}{"pad":"${'x'.repeat(2000)}","wrapped":${event(seq)}}\n\n`);
      });
      const seen = await subscribe(t, pattern, access(url, `subscribe: { ${pattern}: /feed }`), options);
      await until(() => seen.bodies.get(0)?.length === 2);
      assert.deepEqual([asked, seen.problems], [['gzip'], []]);
      assert.ok(seen.counters.bytesIn < 1000);
    });
  }

  for (const pattern of ['polling', 'long-polling']) {
    test(`${pattern}: asked for, read and counted as it came`, async (t) => {
      const asked: unknown[] = [];
      const url = await httpServer(t, (request, response) => {
        asked.push(request.headers['accept-encoding']);
        if (asked.length > 1) return;
        response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(`{"pad":"${'x'.repeat(2000)}","events":[${event(1)}]}`));
      });
      const seen = await subscribe(t, pattern, access(url, `subscribe: { ${pattern}: /feed }`), options);
      await until(() => asked.length === 2);
      assert.deepEqual([asked, seen.bodies.get(0), seen.problems], [['gzip', 'gzip'], ['{"n":1}'], []]);
      assert.ok(seen.counters.bytesIn < 1000);
    });
  }

  test('not asked for when the variant does not say so', async (t) => {
    const asked: unknown[] = [];
    const url = await httpServer(t, (request) => void asked.push(request.headers['accept-encoding']));
    for (const pattern of ['sse', 'http-stream', 'polling', 'long-polling'])
      await subscribe(t, pattern, access(url, `subscribe: { ${pattern}: /feed }`), { ...polls, gzip: false });
    await until(() => asked.length === 4);
    assert.deepEqual(asked, [undefined, undefined, undefined, undefined]);
  });
});

describe('publishing', () => {
  type Received = { method: string; path: string; headers: IncomingMessage['headers']; body: string };

  async function publish(
    t: TestContext,
    yaml: string,
    count: number,
    answer: (received: Received, response: ServerResponse) => void,
    topicCount = 1,
  ) {
    const received: Received[] = [];
    const url = await httpServer(t, (request, response) => {
      let body = '';
      request
        .setEncoding('utf8')
        .on('data', (text: string) => (body += text))
        .on('end', () => {
          const one = { method: request.method!, path: request.url!, headers: request.headers, body };
          received.push(one);
          answer(one, response);
        });
    });
    const publisher = startTargetPublisher({
      publishUrl: url,
      target: access(url, `${yaml}\nsubscribe: { sse: /s }`, { K: 'sesame-7' }),
      topics: [{ name: 'news', count: topicCount, follow: 1, first: 0 }],
      plan: {
        offsetUs: Float64Array.from({ length: count }, (_, i) => i * 200),
        topic: Uint32Array.from({ length: count }, (_, i) => i % topicCount),
        body: new Int32Array(count),
        corpus: ['{"n":"é"}'],
      },
      seed: 1,
    });
    t.onTestFinished(() => publisher.close());
    await publisher.ready;
    const fromUs = nowUs() + 10_000;
    const done = await publisher.run({ warmupFromUs: fromUs, fromUs, toUs: fromUs + 1e6, slotUs: 1e6 });
    return { received, done, publisher };
  }

  test(
    'each event once, numbered by topic and in order, though ' + 'connections are closed after every third',
    async (t) => {
      let answers = 0;
      const { received, done, publisher } = await publish(
        t,
        'publish: /pub/{topic}\ntopics: fixed',
        100,
        (_received, response) => {
          response.writeHead(202, ++answers % 3 === 0 ? { connection: 'close' } : {}).end('queued');
        },
        2,
      );
      for (const topic of ['news.0', 'news.1']) {
        const events = received
          .filter(({ path }) => path === `/pub/${topic}`)
          .map(({ body }) => decodeEnvelope(body));
        assert.deepEqual(
          events.map(({ seq }) => seq),
          Array.from({ length: 50 }, (_, i) => i + 1),
        );
        assert.ok(
          events.every(
            (one) => one.topic === topic && one.body === '{"n":"é"}' && one.id.startsWith(`${run}-`),
          ),
        );
      }
      assert.deepEqual(
        [...done.seq],
        Array.from({ length: 100 }, (_, i) => Math.floor(i / 2) + 1),
      );
      assert.deepEqual(
        [done.unconfirmed, done.problems, done.lag.count, done.roundTrip.count, publisher.confirmed()],
        [[], [], 100, 100, 100],
      );
    },
  );

  test('in the form that the target wants', async (t) => {
    const yaml =
      'publish: { url: /api, method: PUT, type: application/x-feed, headers: { x-key: "${K}" }, body: ' +
      `'{"to":"{topic}","data":{event},"again":{eventString}}' }`;
    const { received } = await publish(t, yaml, 1, (_received, response) => void response.end());
    const [one] = received;
    assert.deepEqual(
      [one?.method, one?.path, one?.headers['content-type'], one?.headers['x-key']],
      ['PUT', '/api', 'application/x-feed', 'sesame-7'],
    );
    const { to, data, again } = JSON.parse(one!.body) as { to: string; data: object; again: string };
    assert.equal(to, `news.${run}`);
    assert.deepEqual(JSON.parse(again), data);
  });

  test('500 answers: unconfirmed, with their numbers and without the secret they repeat', async (t) => {
    let answers = 0;
    const { done } = await publish(
      t,
      'publish: { url: /p, headers: { x-key: "${K}" } }',
      10,
      ({ headers }, response) => {
        response.writeHead(++answers % 2 === 0 ? 500 : 200).end(`no entry for ${headers['x-key']}`);
      },
    );
    assert.deepEqual([...done.seq], [1, 0, 3, 0, 5, 0, 7, 0, 9, 0]);
    assert.deepEqual(
      done.unconfirmed,
      [2, 4, 6, 8, 10].map((seq) => ({ topic: 0, seq })),
    );
    assert.deepEqual(done.problems, [
      {
        code: 'publish-refused',
        message: 'an event was answered with status 500: no entry for ${K}',
        count: 5,
      },
    ]);
  });

  test('nobody there: every event fails and the end comes at once', async (t) => {
    const gone = createServer();
    const url = await new Promise<string>((resolve) =>
      gone.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(gone.address() as AddressInfo).port}`)),
    );
    await new Promise((resolve) => gone.close(resolve));
    const plan = {
      offsetUs: Float64Array.of(0, 1, 2),
      topic: new Uint32Array(3),
      body: new Int32Array(3),
      corpus: ['1'],
    };
    const publisher = startTargetPublisher({
      publishUrl: url,
      target: access(url, 'subscribe: { sse: /s }'),
      topics: [{ name: 'news', count: 1, follow: 1, first: 0 }],
      plan,
      seed: 1,
    });
    t.onTestFinished(() => publisher.close());
    await publisher.ready;
    const fromUs = nowUs();
    const { seq, unconfirmed } = await publisher.run({
      warmupFromUs: fromUs,
      fromUs,
      toUs: fromUs + 1e6,
      slotUs: 1e6,
    });
    assert.deepEqual([[...seq], unconfirmed?.length], [[0, 0, 0], 3]);
  });
});
