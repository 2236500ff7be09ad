// Finds the TCP socket under one of TLS, or under an HTTP/2 session, which gives its own behind a proxy.

import type { Server, Socket } from 'node:net';

export type SocketsUnder = {
  /** undefined when it has closed. */
  under(socket: Peer): Socket | undefined;
};

type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/** Follows the sockets of a server from now on. The two are found by the other end's address. */
export function socketsUnder(server: Server): SocketsUnder {
  const byPeer = new Map<string, Socket>();
  // In front of Node's own listener, which begins the handshake or makes the session.
  server.prependListener('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    byPeer.set(peer, socket);
    socket.once('close', () => byPeer.delete(peer));
  });
  return { under: (socket) => byPeer.get(peerOf(socket)) };
}

function peerOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}
