// Makes the client's half of a WebSocket's handshake (RFC 6455, section 4.1): the request's fields, and the
// checks of the answer.

import { hash, randomBytes } from 'node:crypto';
import { noteRefusal, noteRetryAfter, type Comeback } from '../../core/policy/client/reconnect.ts';
import type { ResponseHead } from './http-head.ts';
import { deflateOffer } from './inflate.ts';
import { ProtocolError } from './protocol-error.ts';

/** A key for one handshake. */
export function newUpgradeKey(): string {
  return randomBytes(16).toString('base64');
}

/**
 * The fields of the request.
 * @param options.deflate offers compression (RFC 7692)
 * @param options.protocol the subprotocol to offer
 */
export function upgradeHeaders(
  key: string,
  { deflate, protocol }: { deflate: boolean; protocol?: string | undefined },
): Record<string, string> {
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
    ...(deflate && { 'sec-websocket-extensions': deflateOffer }),
    ...(protocol !== undefined && { 'sec-websocket-protocol': protocol }),
  };
}

/**
 * RFC 6455, section 4.1, the client's checks.
 * @param protocol the subprotocol offered, if any.
 * @throws ProtocolError `ws-refused` (and notes the server's Retry-After), `ws-handshake`
 */
export function checkUpgrade(
  client: Comeback,
  { status, headers }: ResponseHead,
  key: string,
  protocol?: string,
): void {
  if (status !== 101) {
    noteRefusal(client, status);
    noteRetryAfter(client, headers.get('retry-after'), Date.now());
    throw new ProtocolError('ws-refused', `the server answered the handshake with ${status} instead of 101`);
  }
  if (
    headers.get('upgrade')?.toLowerCase() !== 'websocket' ||
    !/(^|,)\s*upgrade\s*(,|$)/i.test(headers.get('connection') ?? '')
  ) {
    throw new ProtocolError('ws-handshake', 'the server changed the protocol, but not to "websocket"');
  }
  if (
    headers.get('sec-websocket-accept') !==
    hash('sha1', `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64')
  ) {
    throw new ProtocolError('ws-handshake', 'Sec-WebSocket-Accept does not fit the key that was sent');
  }
  const chosen = headers.get('sec-websocket-protocol');
  if (chosen !== undefined && chosen !== protocol)
    throw new ProtocolError('ws-handshake', 'the server chose a subprotocol that was not offered');
}
