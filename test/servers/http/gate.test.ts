// Who may use a server, over the wire: every route of every pattern over every version of HTTP it speaks,
// each with the requests that a hostile web page can send. Patterns, versions and routes come from the
// registries, so that a new one is in the table by itself. In a real browser: browser-pages.test.ts.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { hostname, networkInterfaces } from 'node:os';
import { describe, test, type TestContext } from 'vitest';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer, type RunningServer, type ServerOptions } from '../../../servers/start.ts';
import { rawClient, talk, until } from './raw-http.ts';
import { receiver } from '../receivers.ts';
import { handshake, open } from '../websocket-clients.ts';

type Headers = Record<string, string>;
type Answer = { status: number; headers: Record<string, string | string[] | undefined>; text: string };

const names = Object.keys(patterns) as PatternName[];
const versions = names.flatMap((pattern) => {
  const over = ['h1', 'h2', 'h2c'].filter(
    (one) => patterns[pattern].options.safeParse({ over: one }).success,
  );
  if (over.length === 0) return [{ pattern, over: 'h1', options: {} }];
  return over.map((one) => ({ pattern, over: one, options: { over: one } }));
});

async function serve(
  t: TestContext,
  pattern: PatternName,
  options: object = {},
  more: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const server = await startServer({
    pattern,
    options: patterns[pattern].options.parse(options),
    limits: defaultLimits,
    seed: 1,
    ...more,
  });
  t.onTestFinished(() => {
    server.disconnect(1);
    return server.close();
  });
  return server;
}

/**
 * One request; of an answer that does not end, its head alone. A `host` of the headers is sent as
 * `:authority` too.
 */
async function ask(
  { endpoint }: RunningServer,
  route: string,
  headers: Headers = {},
  body = '',
): Promise<Answer> {
  const [method, path] = route.replaceAll('*', 'news').split(' ') as [string, string];
  const target = method === 'GET' ? `${path}?topics=news` : path;
  if (path.startsWith('/topics/') || endpoint.over === 'h1')
    return overHttp1(endpoint.publishUrl, method, target, headers, body);
  const session = connectHttp2(
    endpoint.url,
    endpoint.certificate === undefined ? {} : { ca: endpoint.certificate },
  );
  try {
    return await overHttp2(session, method, target, headers, body);
  } finally {
    session.destroy();
  }
}

function overHttp1(
  url: string,
  method: string,
  path: string,
  headers: Headers,
  body: string,
): Promise<Answer> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host, port, method, path, headers, agent: false }, (response) => {
      let text = '';
      const done = () => {
        request.destroy();
        resolve({ status: response.statusCode!, headers: response.headers, text });
      };
      if (isEndless(response.headers)) return done();
      response
        .setEncoding('utf8')
        .on('data', (piece: string) => (text += piece))
        .on('end', done);
    });
    request.on('error', reject).end(body);
  });
}

function overHttp2(
  session: ClientHttp2Session,
  method: string,
  path: string,
  { host, ...headers }: Headers,
  body: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request(
      { ':method': method, ':path': path, ...headers, ...(host !== undefined && { ':authority': host }) },
      { endStream: false },
    );
    let text = '';
    stream.on('response', (answered) => {
      const { ':status': status, ...rest } = answered;
      const done = () => resolve({ status: Number(status), headers: rest, text });
      if (isEndless(rest)) done();
      else
        stream
          .setEncoding('utf8')
          .on('data', (piece: string) => (text += piece))
          .on('end', done);
    });
    stream.on('error', reject).end(body);
  });
}

const isEndless = (headers: Answer['headers']) => /event-stream|ndjson/.test(String(headers['content-type']));

/** Headers by which a page of another origin comes, and a page that made its name resolve to us. */
const rebound: Headers[] = [
  'evil.example',
  'evil.example:8080',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '192.168.1.5',
  '0.0.0.0',
].map((host) => ({ host }));
const foreign: Headers[] = [
  ...['http://evil.example', 'https://evil.example', 'null', 'file://', 'http://192.168.1.5'].map(
    (origin) => ({ origin }),
  ),
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
  { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
];
const neighbours: Headers[] = ['http://localhost:1', 'https://127.0.0.1', 'http://app.localhost'].map(
  (origin) => ({ origin }),
);
const simple = { 'content-type': 'text/plain' }; // no preflight goes before it

for (const { pattern, over, options } of versions) {
  describe(`${pattern} over ${over}`, () => {
    test('answers no page under its own name and none of another origin; nothing is published', async (t) => {
      const server = await serve(t, pattern, options);
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
      const server = await serve(t, pattern, options);
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
  const sources = globSync('{cli,harness,load,receiver,reports,servers}/**/*.ts');
  const listeners = sources.filter((file) =>
    /\bcreate(?:Secure|Http2?)?Server\(|\bnew \w*Server\(/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(
    listeners.sort(),
    [
      'load/webhook/receiver.ts',
      'reports/open/server.ts',
      'servers/http/listen-http2.ts',
      'servers/http/listen.ts',
      'servers/websocket.ts',
    ],
    'a new one: put it behind createGate or createJudge',
  );
  const rules = {
    'load/webhook/receiver.ts': /It asks for no Host and no Origin/,
    'reports/open/server.ts': /createJudge\(/,
    'servers/http/listen.ts': /createGate\(/,
    'servers/http/listen-http2.ts': /createGate\(/,
    'servers/websocket.ts': /noServer: true/,
  };
  for (const [file, rule] of Object.entries(rules)) assert.match(readFileSync(file, 'utf8'), rule, file);
});

test('a socket opens for pages of this machine to read, and takes events from its own alone', async (t) => {
  const server = await serve(t, 'websocket');
  const { url } = server.endpoint;
  for (const headers of [...rebound, ...foreign]) {
    const { host = 'localhost', ...rest } = headers;
    const request = handshake(
      '/ws?topics=news',
      ...Object.entries(rest).map(([name, value]) => `${name}: ${value}`),
    ).replace('Host: localhost', `Host: ${host}`);
    assert.match(
      await talk(url, request),
      headers['host'] === undefined
        ? /^HTTP\/1\.1 403 [^]*"cross-origin"/
        : /^HTTP\/1\.1 421 Misdirected Request\r\n[^]*--allow-host/,
      JSON.stringify(headers),
    );
  }
  assert.equal(server.counters().handshakes, 0);
  const page = await open(t, url, 'topics=news', { origin: 'http://localhost:1' });
  const own = await open(t, url, 'topics=news', { origin: url });
  const program = await open(t, url, 'topics=news');
  for (const { ws } of [page, own, program]) ws.send('{"publish":"news","ref":1,"body":"b"}');
  await Promise.all([own.saw(4), program.saw(4), page.saw(4)]);
  assert.deepEqual(
    page.got.filter((text) => text.startsWith('{"refused"')),
    ['{"refused":1,"reason":"pages of another origin may read here, but not publish"}'],
  );
  assert.equal(
    page.got.filter((text) => text.includes('"body":"b"')).length,
    2,
    'it reads what the others publish',
  );
  assert.equal(server.hub.published(), 2);
});

test('a refused handshake whose client does not close its side holds no connection', async (t) => {
  const server = await serve(t, 'websocket');
  const { origin, host } = new URL(server.endpoint.url);
  const refused = [
    handshake('/ws?topics=news', 'Origin: http://evil.example').replace('Host: localhost', `Host: ${host}`),
    handshake('/ws?topics=a%20b', `Origin: ${origin}`).replace('Host: localhost', `Host: ${host}`),
  ];
  for (const request of refused) {
    const client = await rawClient(server.endpoint.url, { allowHalfOpen: true });
    t.onTestFinished(() => void client.socket.destroy());
    client.socket.write(request);
    await client.saw(/^HTTP\/1\.1 40[03] /);
    // To a connection that is gone nothing can be sent: its system says so.
    await until('the connection is gone', () => {
      if (!client.socket.destroyed) client.socket.write('x');
      return client.socket.destroyed;
    });
  }
});

test('what a page of another origin posts is not signed and not delivered', async (t) => {
  const server = await serve(t, 'webhook');
  const { url, got } = await receiver(t);
  assert.equal(
    (await ask(server, 'POST /webhooks', {}, JSON.stringify({ url, events: ['news'] }))).status,
    201,
  );
  for (const route of ['POST /topics/*', 'POST /messages/*'])
    assert.equal(
      (await ask(server, route, { origin: 'http://evil.example', ...simple }, 'evil')).status,
      403,
    );
  await ask(server, 'POST /topics/*', {}, '"good"');
  await until('the good one came', () => got.length > 0);
  assert.deepEqual(
    got.map(({ body }) => /evil|good/.exec(body)?.[0]),
    ['good'],
  );
});

test('a refused body is read to its end, so that what is pipelined behind it is answered', async (t) => {
  const { endpoint } = await serve(t, 'polling');
  const body = 'x'.repeat(50_000);
  const text = await talk(
    endpoint.url,
    'POST /topics/news HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n' +
      `Content-Length: ${body.length}\r\n\r\n` +
      `${body}GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  assert.match(text, /^HTTP\/1\.1 403 [^]*\nHTTP\/1\.1 200 /);
});

test('HTTP/1.0, which knows no Host, is served without one', async (t) => {
  const { endpoint } = await serve(t, 'polling');
  assert.match(await talk(endpoint.url, 'GET /poll?topics=news HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  assert.match(
    await talk(endpoint.url, 'GET /poll?topics=news HTTP/1.0\r\nHost: evil.example\r\n\r\n'),
    /^HTTP\/1\.1 421 /,
  );
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

test('what a page reads by polling with gzip depends on both', async (t) => {
  const server = await serve(t, 'polling', { gzip: true });
  const { headers } = await ask(server, 'GET /poll', {
    origin: 'http://localhost:1',
    'accept-encoding': 'gzip',
  });
  assert.deepEqual(
    [headers['vary'], headers['content-encoding'], headers['access-control-expose-headers']],
    ['origin, accept-encoding', 'gzip', 'etag, pushbench-cursor, retry-after'],
  );
});
