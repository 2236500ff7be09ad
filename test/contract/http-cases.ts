// Holds the rules of HTTP that every pattern's server keeps on every path: HEAD, OPTIONS, methods that a path
// does not take, preflights, and requests for other protocols.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { TestContext } from 'vitest';
import { requestsOf } from '../../core/result/counters.ts';
import { isEndless, serve, type Answer, type Headers } from '../servers/http/gate-clients.ts';
import type { RunningServer } from '../../servers/start.ts';
import type { ContractCase } from './cases.ts';
import type { TriedVariant } from './variants.ts';

const page = 'http://localhost:1'; // of another port of this machine

export const httpCases: Readonly<Record<string, ContractCase>> = {
  async 'HEAD is answered as GET is, without a body, at once, and as nobody (RFC 9110, 9.3.2)'(t, variant) {
    const { server, paths } = await served(t, variant);
    server.hub.publish('news', '{"n":1}', {});
    for (const { path, methods } of paths) {
      if (!methods.includes('GET')) continue;
      for (const query of ['?topics=news', `?topics=news&since=${server.hub.epoch}-0`, '']) {
        // What a held request would say must be known without waiting, so it is asked to wait for nothing.
        const target = `${path}${query}${query === '' ? '' : '&hold=0'}`;
        const got = await exchange(server, 'GET', target);
        const before = requestsOf(server.counters());
        const head = await exchange(server, 'HEAD', target);
        assert.deepEqual([head.status, fieldsOf(head)], [got.status, fieldsOf(got)], target);
        assert.equal(head.text, '', target);
        assert.equal(
          requestsOf(server.counters()),
          before,
          `HEAD ${target} counts as no request of a subscriber`,
        );
      }
    }
  },

  async 'OPTIONS tells what a path takes, and 405 the same (RFC 9110, 9.3.7, 15.5.6)'(t, variant) {
    const { server, paths } = await served(t, variant);
    for (const { path, methods } of paths) {
      const expected = [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])];
      const asked = await exchange(server, 'OPTIONS', path);
      assert.deepEqual([asked.status, asked.text], [204, ''], path);
      const other = ['PATCH', 'PUT', 'DELETE'].find((method) => !methods.includes(method))!;
      const refused = await exchange(server, other, path);
      assert.equal(refused.status, 405, `${other} ${path}`);
      for (const { headers } of [asked, refused])
        assert.deepEqual(String(headers['allow']).split(', ').sort(), expected.toSorted(), path);
    }
    assert.equal((await exchange(server, 'OPTIONS', '*')).status, 204);
    assert.equal((await exchange(server, 'OPTIONS', '/nowhere')).status, 404);
  },

  async 'a preflight lets pages of this machine send what reading takes (Fetch, 4.9)'(t, variant) {
    const { server, paths } = await served(t, variant);
    const isShut = variant.pattern === 'webhook'; // its own pages alone
    const sent = ['cache-control', 'if-none-match', 'last-event-id'];
    for (const { path } of paths) {
      const ask = (method: string, origin: string) =>
        exchange(server, 'OPTIONS', path, {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': sent.join(','),
        });
      const answer = await ask('GET', page);
      const told = (name: string) => String(answer.headers[name] ?? '').split(/, */);
      if (isShut) {
        assert.equal(answer.status, 403, path);
        continue;
      }
      assert.deepEqual([answer.status, answer.text, told('access-control-allow-origin')], [204, '', [page]]);
      assert.ok(told('access-control-allow-methods').includes('GET'));
      assert.deepEqual(
        sent.filter((name) => !told('access-control-allow-headers').includes(name)),
        [],
      );
      assert.ok(Number(told('access-control-max-age')[0]) > 0);
      assert.deepEqual(told('vary'), ['origin', 'access-control-request-method']);
      assert.equal((await ask('POST', page)).status, 403, 'publishing is for its own pages');
      assert.equal((await ask('GET', 'http://elsewhere.example')).status, 403);
    }
  },

  async 'who asks for a protocol that is not there is answered in HTTP (RFC 9110, 7.8)'(t, variant) {
    const { server, paths } = await served(t, variant);
    if (server.endpoint.over !== 'h1') return; // HTTP/2 has no Upgrade (RFC 9113, section 8.2.2)
    const sockets = paths.filter(({ path }) => path === variant.entry.path && 'upgrade' in socketOf(variant));
    for (const protocol of ['h2c', 'websocket']) {
      const upgrade = { connection: 'Upgrade', upgrade: protocol };
      for (const { path, methods } of paths) {
        if (!methods.includes('GET') || (protocol === 'websocket' && sockets.length > 0)) continue;
        const [plain, asked] = [
          await exchange(server, 'GET', `${path}?topics=news`),
          await exchange(server, 'GET', `${path}?topics=news`, upgrade),
        ];
        assert.equal(asked.status, plain.status, `${protocol} ${path}`);
      }
    }
    const published = await exchange(server, 'POST', '/topics/news', {
      connection: 'Upgrade',
      upgrade: 'h2c',
    });
    assert.equal(published.status, 201);
    for (const { path } of sockets) {
      const { status, headers } = await exchange(server, 'GET', `${path}?topics=news`);
      assert.deepEqual(
        [status, headers['upgrade'], headers['connection'], headers['sec-websocket-version']],
        [426, 'websocket', 'close, Upgrade', '13'],
      );
    }
  },
};

/** The protocol that a pattern's own path is upgraded to, if any. */
function socketOf({ entry }: TriedVariant): { upgrade?: string } {
  return entry.pageOpens === 'WebSocket' ? { upgrade: 'websocket' } : {};
}

/** A server, and each of its paths with what it takes. */
async function served(t: TestContext, { pattern, options }: TriedVariant) {
  const server = await serve(t, pattern, {}, { options });
  const { endpoints } = JSON.parse((await exchange(server, 'GET', '/')).text) as { endpoints: string[] };
  const paths = Map.groupBy(endpoints, (route) => route.split(' ')[1]!);
  assert.ok(paths.size > 3);
  return {
    server,
    paths: [...paths].map(([path, routes]) => ({
      path: path.replaceAll('*', 'news'),
      methods: routes.map((route) => route.split(' ')[0]!),
    })),
  };
}

/** The fields that have to be the same; those that frame a body which is not there may be missing. */
function fieldsOf({ headers }: Answer): Headers {
  const { date: _date, 'transfer-encoding': _framing, ...rest } = headers;
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
}

/** One request and its whole answer; of an answer to GET that does not end, the head alone. */
async function exchange(
  { endpoint }: RunningServer,
  method: string,
  target: string,
  headers: Headers = {},
): Promise<Answer> {
  const isWhole = (answered: Answer['headers']) => method === 'HEAD' || !isEndless(answered);
  if (target.startsWith('/topics/') || endpoint.over === 'h1') {
    const { hostname: host, port } = new URL(endpoint.publishUrl);
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host, port, method, path: target, headers, agent: false }, (response) => {
        let text = '';
        const done = () => {
          request.destroy();
          resolve({ status: response.statusCode!, headers: response.headers, text });
        };
        if (!isWhole(response.headers)) return done();
        response
          .setEncoding('utf8')
          .on('data', (piece: string) => (text += piece))
          .on('end', done);
      });
      request.on('error', reject).end();
    });
  }
  const { url, certificate } = endpoint;
  const session = connectHttp2(url, certificate === undefined ? {} : { ca: certificate });
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':method': method, ':path': target, ...headers });
      stream.on('response', ({ ':status': status, ...rest }) => {
        let text = '';
        const done = () => resolve({ status: Number(status), headers: rest, text });
        if (!isWhole(rest)) return done();
        stream
          .setEncoding('utf8')
          .on('data', (piece: string) => (text += piece))
          .on('end', done);
      });
      stream.on('error', reject);
    });
  } finally {
    session.destroy();
  }
}
