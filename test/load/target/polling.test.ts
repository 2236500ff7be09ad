// Subscribers that poll a target, at once or held, in all the ways to say what one has had.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { until } from '../context.ts';
import { access, event, httpServer, polls, subscribe } from './fixture.ts';

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
  'long polling: subscribed while the first request is ' + 'held, 408 ends a hold and is no error',
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

test('long polling: a held request that is cut is asked again, which is a reconnection', async (t) => {
  let asked = 0;
  const url = await httpServer(t, (request) => {
    if (++asked === 1) setTimeout(() => request.socket.destroy(), 400);
  });
  const seen = await subscribe(
    t,
    'long-polling',
    access(url, 'subscribe: { long-polling: "/held/{topics}" }'),
    { connection: 'keep-alive' },
  );
  await until(() => seen.ready.length === 2);
  assert.deepEqual([asked, seen.lost, seen.counters.reconnects], [2, [0], 1]);
});
