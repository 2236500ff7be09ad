// Checks WebSocket handshakes (RFC 6455, section 4.2.1) before the `ws` library completes them, and answers
// bad ones.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { retryAfterS } from '../../core/policy/server/refuse.ts';
import { RequestError } from '../http/request.ts';
import { endWithError } from '../http/socket-answer.ts';

export const socketPath = '/ws';

/** What an answer 426 must tell (RFC 9110, section 15.5.22; RFC 6455, section 4.4). */
const howToUpgrade = { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };

/** @throws RequestError 404, 405 or 426 when it cannot become a socket */
export function checkHandshake(request: IncomingMessage, url: URL): void {
  if (url.pathname !== socketPath)
    throw new RequestError(
      404,
      'not-found',
      `there is no socket at ${url.pathname.slice(0, 100)}, but at ${socketPath}`,
    );
  if (request.method !== 'GET')
    throw new RequestError(405, 'method', 'a WebSocket handshake is a GET', { Allow: 'GET, HEAD, OPTIONS' });
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') throw notAnUpgrade();
  // `ws` would speak version 8 too, whose origin is in another header.
  if (request.headers['sec-websocket-version'] !== '13')
    throw new RequestError(426, 'websocket-version', 'the server speaks version 13 (RFC 6455)', howToUpgrade);
}

export function notAnUpgrade(): RequestError {
  return new RequestError(
    426,
    'upgrade-required',
    'this path takes WebSocket handshakes: Connection: Upgrade, Upgrade: websocket',
    howToUpgrade,
  );
}

/** Answers a handshake that fails, in HTTP still. */
export function refuseHandshake(socket: Duplex, error: RequestError): void {
  const { status, headers } = error;
  const { connection: _, ...others } = headers; // every answer on a bare socket is its last
  const told = {
    ...others,
    ...(status === 426 && { Connection: 'Upgrade' }), // besides that it is closed
    ...(status === 503 && { 'Retry-After': String(retryAfterS) }),
  };
  endWithError(
    socket,
    error,
    Object.entries(told).map(([name, value]) => `${name}: ${value}`),
  );
}
