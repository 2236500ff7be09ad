// Checks WebSocket handshakes (RFC 6455, section 4.2.1) before the `ws` library completes them, and answers
// those that fail.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { RequestError, retryAfterS } from '../http/request.ts';
import { endWithError } from '../http/socket-answer.ts';

export const socketPath = '/ws';

/** @throws RequestError 404, 426 or 503 when it cannot become a socket; 503 when the server is closing */
export function checkHandshake(request: IncomingMessage, url: URL, closing: boolean): void {
  if (url.pathname !== socketPath)
    throw new RequestError(
      404,
      'not-found',
      `there is no socket at ${url.pathname.slice(0, 100)}, but at ${socketPath}`,
    );
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') throw notAnUpgrade();
  // `ws` would speak version 8 too, whose origin is in another header.
  if (request.headers['sec-websocket-version'] !== '13')
    throw new RequestError(426, 'websocket-version', 'the server speaks version 13 (RFC 6455)');
  if (closing) throw new RequestError(503, 'closing', 'the server is closing');
}

export function notAnUpgrade(): RequestError {
  return new RequestError(
    426,
    'upgrade-required',
    'this path takes WebSocket handshakes: Connection: Upgrade, Upgrade: websocket',
  );
}

/** Answers a handshake that fails, in HTTP still. */
export function refuseHandshake(socket: Duplex, error: RequestError): void {
  const { status } = error;
  const fields =
    status === 426
      ? ['Upgrade: websocket', 'Sec-WebSocket-Version: 13']
      : status === 503
        ? [`Retry-After: ${retryAfterS}`]
        : [];
  endWithError(socket, error, fields);
}
