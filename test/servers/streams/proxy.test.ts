// Puts our servers behind nginx with nothing but `proxy_pass`, as a proxy that nobody has told of streams:
// what goes through by itself, what takes two more lines, and what takes a header. Skipped where nginx is not
// installed.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test, type TestContext } from 'vitest';
import { WebSocket } from 'ws';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer } from '../../../servers/start.ts';
import { startNginx } from '../../nginx.ts';
import { skipWhen } from '../../skip.ts';

const skip = existsSync('/usr/sbin/nginx') ? false : 'nginx is not installed (Debian: apt-get install nginx)';
/** Longer than anything takes that comes at all. */
const patienceMs = 3000;

/** The server of a pattern, and nginx in front of it. @param more lines beside `proxy_pass` */
async function behindNginx(t: TestContext, pattern: PatternName, more = '') {
  const server = await startServer({
    pattern,
    options: variantOf(patterns, pattern).options,
    limits: defaultLimits,
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  const port = await startNginx(t, (free, folder) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ');
    return `daemon off; pid ${folder}/pid; error_log stderr crit; events {}
http { access_log off; ${temporary}
server { listen 127.0.0.1:${free}; location / { proxy_pass ${server.endpoint.url}; ${more} } } }`;
  });
  const publish = () =>
    fetch(`${server.endpoint.publishUrl}/topics/news`, { method: 'POST', body: '{"it":"works"}' });
  return { url: `http://127.0.0.1:${port}`, publish };
}

/** @returns whether the event came through a response that does not end, while it had not ended */
async function streams(address: string, publish: () => Promise<unknown>): Promise<boolean> {
  const leaving = new AbortController();
  const patience = setTimeout(() => leaving.abort(), patienceMs);
  let text = '';
  // Published when the server has the subscriber, whether or not the proxy has let its first bytes through.
  const publishing = setTimeout(() => void publish(), patienceMs / 6);
  try {
    const response = await fetch(address, { signal: leaving.signal });
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('"it":"works"')) return true;
    }
    return false;
  } catch (error) {
    if (leaving.signal.aborted) return false;
    throw error;
  } finally {
    clearTimeout(patience);
    clearTimeout(publishing);
    leaving.abort();
  }
}

for (const [pattern, path] of [
  ['sse', '/events'],
  ['http-stream', '/stream'],
] as const) {
  test(
    `${pattern} goes through a proxy that nobody set up for it, ` +
      'for its response says that it is not to be buffered',
    async (t) => {
      skipWhen(t, skip);
      const { url, publish } = await behindNginx(t, pattern);
      assert.equal(await streams(`${url}${path}?topics=news`, publish), true);
    },
  );

  test(`${pattern} without that header is held back in the proxy's buffer`, async (t) => {
    skipWhen(t, skip);
    const { url, publish } = await behindNginx(t, pattern, 'proxy_ignore_headers X-Accel-Buffering;');
    assert.equal(await streams(`${url}${path}?topics=news`, publish), false);
  });
}

test('a long poll goes through', async (t) => {
  skipWhen(t, skip);
  const { url, publish } = await behindNginx(t, 'long-polling');
  const ask = async (since: string) =>
    (
      await fetch(`${url}/long-poll?topics=news${since}`, { signal: AbortSignal.timeout(patienceMs) })
    ).json() as Promise<{ cursor: string; events: unknown[] }>;
  const { cursor } = await ask('');
  const held = ask(`&since=${cursor}`);
  await publish();
  assert.equal((await held).events.length, 1);
});

/** @returns the first message behind the opening one, or the status of the refusal */
async function socketGets(url: string, publish: () => Promise<unknown>): Promise<string | number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?topics=news`, {
    handshakeTimeout: patienceMs,
  });
  const { promise, resolve, reject } = Promise.withResolvers<string | number>();
  let messages = 0;
  socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
  socket.on('message', (data) => (messages++ === 0 ? void publish() : resolve(String(data))));
  socket.on('error', reject);
  const first = await promise;
  socket.terminate();
  return first;
}

test('a WebSocket is refused by a proxy that nobody set up for it', async (t) => {
  skipWhen(t, skip);
  const { url, publish } = await behindNginx(t, 'websocket');
  assert.equal(typeof (await socketGets(url, publish)), 'number');
});

test('a WebSocket goes through once the proxy passes the upgrade on', async (t) => {
  skipWhen(t, skip);
  const { url, publish } = await behindNginx(
    t,
    'websocket',
    'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;',
  );
  assert.match(String(await socketGets(url, publish)), /"it":"works"/);
});
