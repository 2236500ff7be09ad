// Asks a listener over every version of HTTP: which route answers, what a failing one says, and how it ends.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, test } from 'vitest';
import { rawClient, talk, until } from './raw-http.ts';
import { setUp, ask, openSession, silenceErrors } from './test-listener.ts';

test('a reset while an answer is on its way is no error, one in the middle of a request is', async (t) => {
  const { url, counters } = await setUp(t, 'h1');
  const port = Number(new URL(url).port);
  const reset = (request: string) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(request));
      socket.once('close', () => resolve());
      setTimeout(() => socket.resetAndDestroy(), 100);
    });
  await reset('GET /held HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await until('it is closed', () => counters.connectionsClosed === 1);
  assert.equal(counters.errors, 0);
  await reset('GET /held HTTP/1.1\r\nhost: loc');
  await until('it is closed', () => counters.connectionsClosed === 2);
  assert.equal(counters.errors, 1);
});

describe('routing', () => {
  test('paths are matched whole, a star is one segment, and methods are told apart', async (t) => {
    const { url } = await setUp(t, 'h1');
    const rows: [string, string, number, RegExp][] = [
      ['GET', '/here', 200, /^x+$/],
      ['GET', '/here?with=query', 200, /^x+$/],
      ['PUT', '/here', 200, /^put$/],
      ['GET', '/here/', 404, /"error":"not-found".*nothing at \/here\//],
      ['GET', '/her', 404, /nothing at \/her;/],
      ['GET', '//here', 404, /nothing at \/\/here/],
      ['GET', '/things/7', 200, /^\/things\/7$/],
      ['GET', '/things/', 404, /nothing at/],
      ['GET', '/things/7/parts', 404, /nothing at/],
      ['HEAD', '/here', 200, /^$/],
      ['OPTIONS', '/here', 204, /^$/],
      ['DELETE', '/here', 405, /"error":"method".*GET, HEAD, PUT, OPTIONS/],
      ['POST', '/topics/a', 201, /published/],
      ['GET', '/topics/a', 405, /takes POST/],
    ];
    for (const [method, path, status, text] of rows) {
      const answer = await ask(url, path, method);
      assert.equal(answer.status, status, `${method} ${path}`);
      assert.match(answer.text, text);
      if (status === 405 || method === 'OPTIONS')
        assert.equal(answer.headers.allow, path === '/here' ? 'GET, HEAD, PUT, OPTIONS' : 'POST, OPTIONS');
    }
  });

  test('a target that is no path is answered 400', async (t) => {
    const { url } = await setUp(t, 'h1');
    for (const target of ['nonsense', 'http://%zz/']) {
      const text = await talk(url, `OPTIONS ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      assert.match(text, /^HTTP\/1.1 400 /, target);
    }
  });

  test('what a handler throws becomes the answer, and the server lives on', async (t) => {
    const { url, counters } = await setUp(t, 'h1');
    const said = silenceErrors();
    const refused = await ask(url, '/refuses');
    assert.deepEqual(
      [refused.status, JSON.parse(refused.text)],
      [400, { error: 'bad-thing', message: 'no such thing' }],
    );
    const full = await ask(url, '/full');
    assert.deepEqual([full.status, full.headers['retry-after'], counters.refusals], [503, '1', 1]);
    const thrown = await ask(url, '/throws');
    assert.deepEqual([thrown.status, JSON.parse(thrown.text).error], [500, 'internal']);
    await assert.rejects(
      ask(url, '/rejects'),
      /aborted|socket hang up/,
      'an answer that has begun is cut off, not ended as if whole',
    );
    assert.deepEqual(said, ['Error: a defect', 'Error: a defect, later']);
    assert.equal(counters.errors, 3);
    assert.equal((await ask(url, '/here')).status, 200);
  });
});

describe('the end', () => {
  test("a taken port is the system's error, and nothing stays open", async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    t.onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    for (const over of ['h1', 'h2', 'h2c'] as const)
      await assert.rejects(setUp(t, over, { port }), { code: 'EADDRINUSE' });
  });

  test('where the second port is taken the first is free again', async (t) => {
    const { endpoint, close } = await setUp(t, 'h2c');
    const port = Number(new URL(endpoint.url).port);
    await close();
    const taken = createServer().listen(0, '127.0.0.1');
    t.onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const publishPort = (taken.address() as AddressInfo).port;
    await assert.rejects(setUp(t, 'h2c', { port, publishPort }), { code: 'EADDRINUSE', port: publishPort });
    await setUp(t, 'h2c', { port });
  });

  for (const over of ['h1', 'h2', 'h2c'] as const) {
    test(`${over}: closing ends idle, silent and held connections, and frees the port`, async (t) => {
      const { endpoint, close, read } = await setUp(t, over);
      const { url } = endpoint;
      const silent = await rawClient(url.replace('https', 'http'));
      const publisher = await rawClient(endpoint.publishUrl);
      publisher.socket.write('POST /topics/a HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1');
      await publisher.saw(/published/);
      let ended: Promise<unknown>;
      if (over === 'h1') {
        const held = await rawClient(url);
        held.socket.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
        await held.saw(/begun/);
        ended = held.closed;
      } else {
        const { session } = await openSession(endpoint);
        const stream = session.request({ ':path': '/held' });
        stream.on('error', () => {});
        await new Promise((resolve) => stream.once('response', resolve));
        ended = new Promise((resolve) => session.once('close', resolve));
      }
      await close();
      await Promise.all([ended, silent.closed, publisher.closed]);
      await close(); // twice is once
      assert.equal(read().connectionsClosed, read().connectionsOpened);
      const again = await setUp(t, over, { port: Number(new URL(url).port) });
      assert.equal(again.url, url);
    });
  }
});
