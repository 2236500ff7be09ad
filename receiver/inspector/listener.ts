// Opens a port for a receiver of webhooks or for its page, with the rules of every listener of ours in front:
// which hosts and which web pages are let in, what a head may take, how many connections there may be.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { createJudge } from '../../core/http/access.ts';
import { boundHalfOpen, headMs } from '../../core/http/half-open.ts';
import { messageFault } from '../../core/http/message.ts';
import { cutUnread, turnOf } from '../../core/http/unread.ts';

export type PortOptions = {
  host: string;
  /** 0 for any free one. */
  port: number;
  allowHosts: readonly string[];
  /** May resolve late. What it throws is a defect of ours. */
  serve(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
  /**
   * A request was not let in.
   * @param host as it stood in Host, undefined when another thing was wrong
   */
  turnedAway?(message: string, host: string | undefined): void;
};

export type OpenPort = { url: string; port: number; close(): Promise<void> };

const maxConnections = 1024;
const mostPipelined = 100;
const mostSilent = 128;
const limits = {
  headersTimeout: headMs,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 1000,
  requireHostHeader: false,
};

/** @throws the system's error when the port cannot be had (EADDRINUSE, EACCES, EADDRNOTAVAIL) */
export async function openPort(options: PortOptions): Promise<OpenPort> {
  const { host, port, allowHosts, turnedAway } = options;
  const server = createServer(limits, (request, response) => {
    halfOpen.settled(request.socket);
    serve(request, response).catch((error: unknown) => {
      console.error(error);
      refuse(response, 500, 'defect', 'this is a defect of pushbench; the terminal says more');
    });
  });
  cutUnread(server);
  server.maxConnections = maxConnections;
  const halfOpen = boundHalfOpen(server, {
    withinMs: headMs,
    most: mostSilent,
    expired: (socket) => socket.destroy(),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound, address } = server.address() as AddressInfo; // of a TCP server
  const judge = createJudge({
    scheme: 'http',
    address,
    host,
    machine: hostname(),
    allowHosts,
    readers: 'own-pages',
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!(await turnOf(response, mostPipelined))) return;
    const fault = messageFault(request);
    if (fault) {
      response.shouldKeepAlive = false;
      turnedAway?.(fault.message, undefined);
      return refuse(response, fault.status, fault.code, fault.message);
    }
    const verdict = judge(request);
    if (verdict.kind === 'served') return options.serve(request, response);
    const { status, code, message } =
      verdict.kind === 'refused'
        ? verdict
        : { status: 403, code: 'cross-origin', message: 'no pages are let in' };
    turnedAway?.(message, code === 'host' ? request.headers.host : undefined);
    return refuse(response, status, code, message);
  }

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with a code for programs and a sentence for people. The body of the request is not read. */
export function refuse(response: ServerResponse, status: number, error: string, message: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ error, message })}\n`);
}
