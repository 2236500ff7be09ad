// Who may use the API and the dashboard: programs of this machine, the dashboard's own
// page, others with the token.

import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { networkInterfaces } from 'node:os';
import { describe, test, type TestContext } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { skipWhen } from '../../../skip.ts';

async function serve(t: TestContext, host?: string, allowHosts: string[] = []) {
  const server = await startServer({
    pattern: 'webhook',
    options: patterns.webhook.options.parse({ store: 'memory' }),
    limits: defaultLimits,
    seed: 1,
    ...(host && { host }),
    allowHosts,
  });
  t.onTestFinished(() => server.close());
  const { port } = new URL(server.endpoint.url);
  /** `fetch` sets Host and Origin as it likes. */
  const ask = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body = '',
    to = '127.0.0.1',
  ) =>
    new Promise<{ status: number; text: string; headers: IncomingHttpHeaders }>((resolve, reject) => {
      const request = httpRequest({ host: to, port, method, path, headers }, (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (piece: string) => (text += piece))
          .on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
      });
      request.on('error', reject).end(body);
    });
  return { port, page: server.page!, ask };
}

const registration = JSON.stringify({ url: 'http://127.0.0.1:9/', events: ['news'] });

describe('on this machine', () => {
  test('programs use everything without more ado, under an address of loopback and localhost', async (t) => {
    const { ask, port } = await serve(t);
    assert.equal((await ask('POST', '/webhooks', {}, registration)).status, 201);
    for (const host of [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `app.localhost:${port}`,
      `[::1]:${port}`,
      '127.1.2.3',
    ]) {
      assert.equal((await ask('GET', '/webhooks', { host })).status, 200, host);
    }
  });

  test('a name that was made to resolve to it is refused (DNS rebinding)', async (t) => {
    const { ask, port } = await serve(t);
    for (const host of [`rebinding.test:${port}`, 'localhost.rebinding.test', '127.0.0.1.rebinding.test']) {
      for (const path of [
        '/webhooks',
        '/webhooks/deliveries',
        '/webhooks/stream',
        '/dashboard',
        '/dashboard/main.js',
      ]) {
        const { status, text } = await ask('GET', path, { host, origin: `http://${host}` });
        assert.equal(status, 421, `${host} ${path}`);
        assert.match(text, /"host".*--allow-host/);
      }
    }
    assert.equal((await ask('GET', '/webhooks', { host: 'a b' })).status, 400, 'what is not a host at all');
    assert.match(
      (await ask('GET', '/webhooks', { host: 'rebinding.test:80' })).text,
      /not opened for the host \\"rebinding\.test:80\\".* --allow-host rebinding\.test"/,
    );
  });

  test('pages of another origin are refused, whatever they ask and wherever they come from', async (t) => {
    const { ask, port } = await serve(t);
    const host = `127.0.0.1:${port}`;
    for (const origin of [
      'https://evil.example',
      'null',
      `http://localhost:${port}`,
      'http://127.0.0.1:1',
      `http://127.0.0.1:${port}.evil.example`,
    ]) {
      for (const [method, path, body] of [
        ['POST', '/webhooks', registration],
        ['POST', '/webhooks/deliveries/1/replay', ''],
        ['PATCH', '/webhooks/ep_1', '{}'],
        ['DELETE', '/webhooks/ep_1', ''],
        ['GET', '/webhooks/stream', ''],
      ] as const) {
        const { status, text } = await ask(method, path, { host, origin }, body);
        assert.equal(status, 403, `${origin} ${method} ${path}`);
        assert.match(text, /"cross-origin"/);
      }
    }
    assert.match((await ask('GET', '/webhooks', { host })).text, /"webhooks":\[\]/, 'nothing was registered');
  });

  test('a page of its own origin is not', async (t) => {
    const { ask, port } = await serve(t);
    const host = `127.0.0.1:${port}`;
    assert.equal(
      (await ask('POST', '/webhooks', { host, origin: `http://${host}` }, registration)).status,
      201,
    );
  });
});

describe('from another machine', () => {
  const proxied = { 'x-forwarded-for': '198.51.100.7' };

  const ways: Record<string, string> = {
    via: '1.1 proxy',
    'x-real-ip': '198.51.100.7',
    'x-forwarded-for': '',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'a',
    'x-forwarded-anything': '1',
    forwarded: 'for=_a',
    'cf-connecting-ip': '198.51.100.7',
    'true-client-ip': '198.51.100.7',
    'x-client-ip': '198.51.100.7',
    'fly-client-ip': '198.51.100.7',
    'fastly-client-ip': '198.51.100.7',
    'x-cluster-client-ip': '198.51.100.7',
  };
  for (const [header, value] of Object.entries(ways)) {
    test(`a proxy on this machine that sends ${header} alone makes itself known`, async (t) => {
      const { ask } = await serve(t);
      for (const [method, path] of [
        ['GET', '/webhooks'],
        ['GET', '/dashboard'],
        ['GET', '/webhooks/stream'],
        ['POST', '/webhooks'],
      ] as const) {
        const { status, text } = await ask(
          method,
          path,
          { [header]: value },
          method === 'POST' ? registration : '',
        );
        assert.deepEqual([status, text.includes(`it sent ${header}`)], [401, true], `${method} ${path}`);
      }
    });
  }

  test(
    'one that sends no such header shows by the name that was added ' +
      'for it, and its pages get in with the token',
    async (t) => {
      const { ask, page } = await serve(t, undefined, ['bench.example']);
      const host = 'bench.example';
      assert.equal((await ask('GET', '/webhooks', { host })).status, 401);
      assert.equal((await ask('GET', '/webhooks')).status, 200, 'who comes to loopback needs none still');
      const authorization = `Bearer ${page.split('token=')[1]}`;
      for (const origin of ['https://bench.example', 'http://bench.example'])
        assert.equal(
          (await ask('POST', '/webhooks', { host, origin, authorization }, registration)).status,
          201,
          origin,
        );
      for (const origin of ['https://bench.example:8443', 'https://evil.example', 'http://localhost'])
        assert.equal(
          (await ask('POST', '/webhooks', { host, origin, authorization }, registration)).status,
          403,
          origin,
        );
    },
  );

  test('nothing is answered without the token, nor with a wrong one', async (t) => {
    const { ask, port } = await serve(t, '0.0.0.0');
    for (const headers of [
      proxied,
      { forwarded: 'for=198.51.100.7' },
      { ...proxied, authorization: 'Bearer ' },
      { ...proxied, authorization: 'Bearer wrong' },
      { ...proxied, cookie: `pushbench-${port}=wrong` },
    ]) {
      for (const path of ['/webhooks', '/dashboard', '/dashboard?token=wrong', '/webhooks/stream']) {
        const { status, text } = await ask('GET', path, headers as Record<string, string>);
        assert.equal(status, 401, path);
        assert.match(text, /send \\"Authorization: Bearer TOKEN\\"/);
      }
    }
  });

  const own = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  test('an address of the network is another machine, whatever Host says', async (t) => {
    skipWhen(t, own === undefined && 'this machine has loopback alone');
    const { ask, page } = await serve(t, '0.0.0.0');
    const token = page.split('token=')[1]!;
    for (const headers of [{}, { host: 'localhost' }, { host: '127.0.0.1' }, { host: '203.0.113.7' }]) {
      for (const path of ['/webhooks', '/dashboard', '/webhooks/stream'])
        assert.equal((await ask('GET', path, headers as Record<string, string>, '', own)).status, 401, path);
    }
    assert.equal((await ask('POST', '/webhooks', {}, registration, own)).status, 401);
    assert.equal((await ask('GET', '/webhooks', { authorization: `Bearer ${token}` }, '', own)).status, 200);
  });

  test(
    'the token opens it: as a header for programs, ' + 'through the printed address for browsers',
    async (t) => {
      const { ask, page, port } = await serve(t, '0.0.0.0');
      const token = /^http:\/\/0\.0\.0\.0:\d+\/dashboard\?token=([\w-]{32})$/.exec(page)![1]!;
      assert.equal(
        (await ask('GET', '/webhooks', { ...proxied, authorization: `Bearer ${token}` })).status,
        200,
      );
      const entered = await ask('GET', `/dashboard?token=${token}`, proxied);
      assert.equal(entered.status, 303);
      assert.equal(entered.headers.location, '/dashboard');
      const [cookie] = entered.headers['set-cookie'] as [string];
      assert.equal(cookie, `pushbench-${port}=${token}; HttpOnly; SameSite=Strict; Path=/`);
      const withCookie = { ...proxied, host: '203.0.113.7:8080', cookie: `other=1; ${cookie.split(';')[0]}` };
      assert.equal((await ask('GET', '/dashboard', withCookie)).status, 200);
      assert.equal(
        (await ask('POST', '/webhooks', { ...withCookie, origin: 'https://evil.example' }, registration))
          .status,
        403,
        'a cookie is no leave for other pages',
      );
    },
  );

  test('is another one at each start, and not shown on loopback', async (t) => {
    const [one, two, local] = [await serve(t, '0.0.0.0'), await serve(t, '0.0.0.0'), await serve(t)];
    assert.notEqual(one.page.split('token=')[1], two.page.split('token=')[1]);
    assert.equal(new URL(local.page).search, '');
  });
});

test(
  'the dashboard’s files come with a policy that lets ' + 'nothing else in, and no other file does',
  async (t) => {
    const { ask } = await serve(t);
    for (const [path, type] of [
      ['/dashboard', 'text/html; charset=utf-8'],
      ['/dashboard/main.js', 'text/javascript; charset=utf-8'],
      ['/dashboard/dashboard.css', 'text/css; charset=utf-8'],
    ] as const) {
      const { status, headers, text } = await ask('GET', path);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], type);
      assert.match(
        String(headers['content-security-policy']),
        /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
      );
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(Number(headers['content-length']), Buffer.byteLength(text));
      for (const [, address] of text.matchAll(/(?:src|href|import\s*.*from)\s*=?\s*["']([^"']+)["']/g))
        assert.match(address!, /^(?:\/dashboard\/|\.\/|\/webhooks|data:,$)/, path);
    }
    for (const path of [
      '/dashboard/index.html',
      '/dashboard/../access.ts',
      '/dashboard/%2e%2e%2faccess.ts',
      '/dashboard/x',
    ])
      assert.equal((await ask('GET', path)).status, 404, path);
  },
);
