// Starts a listener whose routes do what the tests of listeners ask of them, and asks it over every version
// of HTTP.

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type TestContext, vi } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import type { Endpoint } from '../../../core/protocol/control.ts';
import { TooManyTopics } from '../../../servers/hub/hub.ts';
import { listen, type ListenOptions } from '../../../servers/http/listen.ts';
import type { Handler, Response } from '../../../servers/pattern.ts';
import { endWith, RequestError } from '../../../servers/http/request.ts';
import { createTally } from '../../../servers/http/connection-counts.ts';

export const body = 'x'.repeat(5000);

/** The head and the first bytes of an answer. Node's two response types share no signature for this. */
export function begin(response: Response): void {
  response.statusCode = 200;
  if ('stream' in response) response.write('begun');
  else response.write('begun');
}

export const routes: Record<string, Handler> = {
  'GET /here': (_request, response) => void response.end(body),
  'PUT /here': (_request, response) => void response.end('put'),
  'GET /held': (_request, response) => {
    begin(response);
  },
  'GET /things/*': (_request, response, url) => void response.end(url.pathname),
  'GET /throws': () => {
    throw new Error('a defect');
  },
  'GET /rejects': async (_request, response) => {
    begin(response);
    await Promise.reject(new Error('a defect, later'));
  },
  'GET /refuses': () => {
    throw new RequestError(400, 'bad-thing', 'no such thing');
  },
  'GET /full': () => {
    throw new TooManyTopics('too many');
  },
};

export const publishRoutes: Record<string, Handler> = {
  'POST /topics/*': (request, response) => {
    request.resume().on('end', () => endWith(response, 201, {}, 'published'));
  },
};

export async function setUp(t: TestContext, over: Endpoint['over'], more: Partial<ListenOptions> = {}) {
  const counters = newCounters();
  const tally = createTally(counters);
  const listener = await listen({
    over,
    pattern: { routes },
    publishRoutes,
    tally,
    counters,
    allowHosts: ['a'],
    ...more,
  });
  t.onTestFinished(() => listener.close());
  return { ...listener, counters, read: tally.read, url: listener.endpoint.url };
}

/** One request over a connection of its own, closed by the client; with the bytes its socket counted. */
export function ask(
  url: string,
  path: string,
  method = 'GET',
  payload?: string,
): Promise<{
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  bytesRead: number;
  bytesWritten: number;
}> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${path}`, { method, agent: false }, (response) => {
      const { socket } = response;
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        const { bytesRead, bytesWritten } = socket;
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          bytesRead,
          bytesWritten,
        });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

export type Session = {
  session: ClientHttp2Session;
  socket: Socket;
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
};

export async function openSession({ url, certificate }: Endpoint): Promise<Session> {
  const { port } = new URL(url);
  const at = { host: '127.0.0.1', port: Number(port) };
  const socket =
    certificate === undefined
      ? connectTcp(at)
      : connectTls({ ...at, ca: certificate, ALPNProtocols: ['h2'] });
  const session = connectHttp2(url, { createConnection: () => socket });
  session.on('error', () => {});
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return {
    session,
    socket,
    get: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': path, ...headers });
        let status = 0;
        let text = '';
        stream.on('response', (answer) => (status = Number(answer[':status'])));
        stream.setEncoding('utf8').on('data', (part: string) => (text += part));
        stream.on('end', () => resolve({ status, text })).on('error', reject);
      }),
  };
}

export function silenceErrors(): string[] {
  const said: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((error: unknown) => said.push(String(error)));
  return said;
}
