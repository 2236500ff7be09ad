// Asks every route of every pattern over every version of HTTP with the requests that a hostile web page can
// send. Patterns, versions and routes come from the registries, so that a new one is in the table by itself.
// In a real browser: browser-pages.test.ts.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { describe, test } from 'vitest';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { type Headers, serve, ask, rebound, foreign, simple } from './gate-clients.ts';

const names = Object.keys(patterns) as PatternName[];

const versions = names.flatMap((pattern) => {
  const over = ['h1', 'h2', 'h2c'].filter(
    (one) => patterns[pattern].options.safeParse({ over: one }).success,
  );
  if (over.length === 0) return [{ pattern, over: 'h1', options: {}, more: {} }];
  return over.map((one) => ({ pattern, over: one, options: { over: one }, more: {} }));
});
/** One pattern is enough: the listener is the same. */
versions.push({ pattern: 'websocket', over: 'h1 and TLS', options: {}, more: { tls: { resume: true } } });

const neighbours: Headers[] = ['http://localhost:1', 'https://127.0.0.1', 'http://app.localhost'].map(
  (origin) => ({ origin }),
);

for (const { pattern, over, options, more } of versions) {
  describe(`${pattern} over ${over}`, () => {
    test('answers no page under its own name and none of another origin; nothing is published', async (t) => {
      const server = await serve(t, pattern, options, more);
      const { endpoints } = JSON.parse((await ask(server, 'GET /')).text) as { endpoints: string[] };
      assert.ok(endpoints.length > 3);
      for (const route of ['POST /topics/*', 'POST /messages/*']) assert.ok(endpoints.includes(route), route);
      for (const route of [...endpoints, 'GET /nothing', 'PUT /nothing', 'OPTIONS /topics/*']) {
        for (const headers of rebound) {
          const {
            status,
            text,
            headers: told,
          } = await ask(server, route, { ...headers, origin: `http://${headers['host']}`, ...simple });
          assert.deepEqual(
            [status, told['access-control-allow-origin']],
            [421, undefined],
            `${route} ${JSON.stringify(headers)}`,
          );
          assert.match(text, /"host".*--allow-host/);
        }
        for (const headers of foreign) {
          const {
            status,
            text,
            headers: told,
          } = await ask(server, route, { ...headers, ...simple }, route.startsWith('GET') ? '' : '{}');
          assert.deepEqual(
            [status, told['access-control-allow-origin']],
            [403, undefined],
            `${route} ${JSON.stringify(headers)}`,
          );
          assert.match(text, /"cross-origin"/);
        }
      }
      assert.equal(server.hub.published(), 0);
      assert.equal(server.subscribers(), 0);
      assert.equal(server.counters().refusals, (endpoints.length + 3) * (rebound.length + foreign.length));
    });

    test('pages of this machine may read where all may, and never publish; its own page may', async (t) => {
      const server = await serve(t, pattern, options, more);
      const { endpoints } = JSON.parse((await ask(server, 'GET /')).text) as { endpoints: string[] };
      const isShut = pattern === 'webhook'; // administering is for its own pages
      for (const route of endpoints) {
        for (const headers of neighbours) {
          const { status, headers: told } = await ask(
            server,
            route,
            { ...headers, ...simple },
            route.startsWith('GET') ? '' : '{}',
          );
          const reads = route.startsWith('GET') && !isShut;
          assert.deepEqual(
            [status !== 403, told['access-control-allow-origin']],
            reads ? [true, headers['origin']] : [false, undefined],
            `${route} ${JSON.stringify(headers)}`,
          );
          if (reads) assert.match(String(told['vary']), /^origin\b/);
        }
      }
      const preflight = (wanted: string, headers: Headers) =>
        ask(server, 'OPTIONS /topics/*', { 'access-control-request-method': wanted, ...headers });
      for (const headers of neighbours) {
        const { status, headers: told } = await preflight('GET', headers);
        assert.deepEqual(
          [status, told['access-control-allow-origin']],
          isShut ? [403, undefined] : [204, headers['origin']],
        );
        assert.equal((await preflight('POST', headers)).status, 403);
      }
      for (const headers of foreign) assert.equal((await preflight('GET', headers)).status, 403);
      assert.equal(server.hub.published(), 0);

      const { origin } = new URL(server.endpoint.publishUrl);
      assert.equal((await ask(server, 'POST /topics/*', { origin }, '1')).status, 201);
      assert.equal(
        (await ask(server, 'POST /messages/*', { origin: new URL(server.endpoint.url).origin }, '2')).status,
        201,
      );
      assert.equal((await ask(server, 'POST /topics/*', {}, '3')).status, 201, 'a program');
      assert.equal(server.hub.published(), 3);
    });
  });
}

test('every listener of the package stands behind the rule, or says why another one is right there', () => {
  const sources = globSync('{cli,harness,load,network,receiver,reports,servers}/**/*.ts');
  const listeners = sources.filter((file) =>
    /\bcreate(?:Secure|Http2?)?Server\(|\bnew \w*Server\(/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(
    listeners.sort(),
    [
      'harness/cluster/ports.ts',
      'harness/workers/fit.ts',
      'load/webhook/receiver.ts',
      'network/proxy.ts',
      'receiver/inspector/listener.ts',
      'reports/open/server.ts',
      'servers/http/listen-http2.ts',
      'servers/http/listen.ts',
      'servers/websocket.ts',
    ],
    'a new one: put it behind createGate or createJudge',
  );
  const rules = {
    'harness/cluster/ports.ts': /Listens there for a moment/,
    'harness/workers/fit.ts': /Listens there for a moment/,
    'network/proxy.ts': /listens on loopback/, // what is behind it judges
    'load/webhook/receiver.ts': /It asks for no Host and no Origin/,
    'receiver/inspector/listener.ts': /createJudge\(/,
    'reports/open/server.ts': /createJudge\(/,
    'servers/http/listen.ts': /createGate\(/,
    'servers/http/listen-http2.ts': /createGate\(/,
    'servers/websocket.ts': /noServer: true/,
  };
  for (const [file, rule] of Object.entries(rules)) assert.match(readFileSync(file, 'utf8'), rule, file);
});

test(
  'a server on all addresses answers to each and to the ' + 'name of the machine; a name can be added',
  async (t) => {
    const interfaces = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const own = interfaces.filter(({ family }) => family === 'IPv4').map(({ address }) => address);
    const everywhere = await serve(t, 'polling', {}, { host: '0.0.0.0' });
    for (const host of [...own, '203.0.113.7:80', '[2001:db8::1]', 'localhost', hostname()])
      assert.equal((await ask(everywhere, 'GET /poll', { host })).status, 200, host);
    assert.equal((await ask(everywhere, 'GET /poll', { host: 'evil.example' })).status, 421);
    const named = await serve(t, 'polling', {}, { allowHosts: ['bench.example'] });
    for (const [host, status] of [
      ['bench.example:8080', 200],
      ['localhost', 200],
      ['a.bench.example', 421],
    ] as const)
      assert.equal((await ask(named, 'GET /poll', { host })).status, status, host);
  },
);
