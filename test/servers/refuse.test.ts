// Makes servers refuse, as a fault does: a listener that accepts connections and closes them, and a
// dependency that is down. Who is there, who comes, and that it is over when it is turned off.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'undici';
import { describe, test } from 'vitest';
import { keptAlive } from './drain-clients.ts';
import { rawClient, until } from './http/raw-http.ts';
import { listen } from './sse-clients.ts';
import { getRequest, serve, unchunk } from './streams.ts';
import { open } from './websocket-clients.ts';

describe('accept-then-close', () => {
  test('closes new connections before anything is said, and leaves those that are there', async (t) => {
    const { url, refuse, publish, joined } = await serve(t, 'websocket');
    const there = await open(t, url, 'topics=a');
    const publisher = keptAlive(t, url);
    const post = () => publisher.request({ path: '/topics/a', method: 'POST', body: '1' });
    await (await post()).body.dump();
    refuse('accept-then-close');
    refuse('accept-then-close');
    const { closed } = await rawClient(url);
    assert.equal(await closed, '');
    assert.equal((await (await open(t, url, 'topics=a')).closed).code, 1006);
    await (await post()).body.dump();
    publish('a', '3');
    await there.saw(4);
    await joined(1);
    refuse('off');
    await (await open(t, url, 'topics=a')).saw(1);
  });

  test.for(['h2', 'h2c'] as const)('%s: no session begins', async (over, t) => {
    const { endpoint, refuse } = await serve(t, 'sse', { over });
    const { url, publishUrl, certificate } = endpoint;
    const begin = () => {
      const session = connectHttp2(url, certificate === undefined ? {} : { ca: certificate });
      t.onTestFinished(() => session.destroy());
      session.on('error', () => {});
      return session;
    };
    refuse('accept-then-close');
    const refused = begin();
    await new Promise((resolve) => refused.on('close', resolve)); // with an error where TLS had begun
    await assert.rejects(request(`${publishUrl}/topics/a`, { method: 'POST', body: '1' }));
    refuse('off');
    const stream = begin().request({ ':path': '/events?topics=a' });
    await once(stream, 'response');
  });
});

describe('dependency-down', () => {
  test('closes sockets with 1011, also those that come, and goes on taking what is published', async (t) => {
    const { url, refuse, joined } = await serve(t, 'websocket');
    const there = await open(t, url, 'topics=a');
    await there.saw(1);
    refuse('dependency-down');
    assert.deepEqual(await there.closed, { code: 1011, reason: 'a dependency of the server is down' });
    const comes = await open(t, url, 'topics=a');
    assert.equal((await comes.closed).code, 1011);
    assert.deepEqual(comes.got, [], 'its handshake was taken, and nothing else');
    const published = await request(`${url}/topics/a`, { method: 'POST', body: '1' });
    assert.equal(published.statusCode, 201);
    await published.body.dump();
    await joined(0);
    refuse('off');
    await (await open(t, url, 'topics=a')).saw(1);
  });

  test('ends streams whole with a word for it, and answers new ones 503', async (t) => {
    for (const [pattern, path, word] of [
      ['http-stream', '/stream', '{"stream":"failure","reason":"dependency-down"}\n'],
      ['sse', '/events', 'event: failure\ndata: {"reason":"dependency-down"}\n\n'],
    ] as const) {
      const { url, refuse, joined } = await serve(t, pattern);
      const { socket, closed } = await rawClient(url);
      socket.write(getRequest(`${path}?topics=a`));
      await joined(1);
      refuse('dependency-down');
      const { body, ended } = unchunk(Buffer.from(await closed));
      assert.deepEqual([ended, body.toString().endsWith(word)], [true, true], pattern);
      const { statusCode, body: refused } = await request(`${url}${path}?topics=a`);
      assert.equal(statusCode, 503);
      assert.equal(((await refused.json()) as { error: string }).error, 'dependency-down');
      refuse('off');
      const again = await rawClient(url);
      again.socket.write(getRequest(`${path}?topics=a`));
      await again.saw(/^HTTP\/1\.1 200/);
      again.socket.destroy();
    }
  });

  test('an EventSource stays away for good, as the standard has it', async (t) => {
    const { url, refuse, joined } = await serve(t, 'sse', { retry: '10ms' });
    const { source } = listen(t, url, 'topics=a');
    await joined(1);
    refuse('dependency-down');
    await until('it has given up', () => source.readyState === source.CLOSED);
  });

  test('answers held polls and new ones 503, and their cursor is good when it is over', async (t) => {
    const { url, refuse, joined, publish, at } = await serve(t, 'long-polling');
    const ask = (since: string) => request(`${url}/long-poll?topics=a&since=${since}`);
    const held = ask(at(0));
    await joined(1);
    refuse('dependency-down');
    for (const { statusCode, headers, body } of [await held, await ask(at(0))]) {
      await body.dump();
      assert.deepEqual([statusCode, headers['retry-after']], [503, '1']);
    }
    publish('a', '1');
    refuse('off');
    const { body } = await ask(at(0));
    assert.equal(((await body.json()) as { events: unknown[] }).events.length, 1);
    const polls = await serve(t, 'polling');
    polls.refuse('dependency-down');
    const poll = await request(`${polls.url}/poll?topics=a`);
    await poll.body.dump();
    assert.equal(poll.statusCode, 503);
  });
});
