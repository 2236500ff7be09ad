// Follows the connections of an HTTP/1.1 listener through their TLS handshakes: which TCP socket is under
// which of TLS, and which is not through yet.

import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Counters } from '../../core/result/counters.ts';
import { countHandshake } from './tls.ts';
import { socketsUnder } from './under-tls.ts';

export type Handshakes = {
  /** The TCP socket of a connection; undefined when it has closed. */
  under(socket: Socket): Socket | undefined;
  /** The connection over a TCP socket; undefined until the handshake is done. */
  over(tcp: Socket): Socket | undefined;
  /** TCP sockets that are not through it. */
  shaking(): readonly Socket[];
};

/** Of a listener in clear text: a connection is its TCP socket. */
export const noHandshakes: Handshakes = {
  under: (socket) => socket,
  over: (tcp) => tcp,
  shaking: () => [],
};

export function watchHandshakes(server: Server, counters: Counters): Handshakes {
  const shaking = new Set<Socket>();
  const through = new WeakMap<Socket, Socket>();
  const { under } = socketsUnder(server);
  server.on('connection', (tcp: Socket) => {
    shaking.add(tcp);
    tcp.once('close', () => shaking.delete(tcp));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    countHandshake(socket, counters);
    const tcp = under(socket);
    if (!tcp) return;
    shaking.delete(tcp);
    through.set(tcp, socket);
  });
  return { under, over: (tcp) => through.get(tcp), shaking: () => [...shaking] };
}
