// Subscribers of a target's streams, SSE and lines of text, from servers with ways of their own.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { describe, test } from 'vitest';
import { certificate, key } from '../certificate.ts';
import { listen, until } from '../context.ts';
import { access, event, httpServer, run, stream, subscribe } from './fixture.ts';

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

  test('what is not ours is noted as it looked, with no secret in it, and is no error', async (t) => {
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

  test('garbage for a stream is an error, and is tried again', async (t) => {
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
