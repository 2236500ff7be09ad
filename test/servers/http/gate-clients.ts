// Asks servers of every pattern as pages of other origins and under other names would, over every version of
// HTTP.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { type TestContext } from 'vitest';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer, type RunningServer, type ServerOptions } from '../../../servers/start.ts';

export type Headers = Record<string, string>;

export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; text: string };

export async function serve(
  t: TestContext,
  pattern: PatternName,
  options: object = {},
  more: Omit<Partial<ServerOptions>, 'broker'> = {},
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
export async function ask(
  { endpoint }: RunningServer,
  route: string,
  headers: Headers = {},
  body = '',
): Promise<Answer> {
  const [method, path] = route.replaceAll('*', 'news').split(' ') as [string, string];
  const target = method === 'GET' ? `${path}?topics=news` : path;
  if (path.startsWith('/topics/')) return overHttp1(endpoint.publishUrl, method, target, headers, body);
  if (endpoint.over === 'h1')
    return overHttp1(endpoint.url, method, target, headers, body, endpoint.certificate);
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

export function overHttp1(
  url: string,
  method: string,
  path: string,
  headers: Headers,
  body: string,
  ca?: string,
): Promise<Answer> {
  const { hostname: host, port } = new URL(url);
  const send = ca === undefined ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    const at = { host, servername: 'localhost', port, method, path, headers, agent: false as const, ca };
    const request = send(at, (response) => {
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

export function overHttp2(
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

export const isEndless = (headers: Answer['headers']) =>
  /event-stream|ndjson/.test(String(headers['content-type']));

/** Headers by which a page of another origin comes, and a page that made its name resolve to us. */
export const rebound: Headers[] = [
  'evil.example',
  'evil.example:8080',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '192.168.1.5',
  '0.0.0.0',
].map((host) => ({ host }));

export const foreign: Headers[] = [
  ...['http://evil.example', 'https://evil.example', 'null', 'file://', 'http://192.168.1.5'].map(
    (origin) => ({ origin }),
  ),
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
  { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
];

export const simple = { 'content-type': 'text/plain' }; // no preflight goes before it
