// Keeps the TLS session of each client, as browsers do, so that it resumes it when it comes back; counts
// handshakes, and those that did. A session takes about 900 bytes.

import type { TLSSocket } from 'node:tls';
import type { Counters } from '../../core/result/counters.ts';

export type TlsSessions = {
  /** For the options of `connect`: the session of this client, if it has one. */
  of(client: number): { session?: Buffer };
  /** Counts the handshake of a client's new connection, and keeps its session. */
  follow(client: number, socket: TLSSocket): void;
};

/** @param resume without it every handshake is a full one */
export function createTlsSessions(counters: Counters, resume: boolean): TlsSessions {
  const kept = new Map<number, Buffer>();
  return {
    of(client) {
      const session = kept.get(client);
      return session === undefined ? {} : { session };
    },
    follow(client, socket) {
      socket.once('secureConnect', () => {
        counters.tlsHandshakes++;
        if (socket.isSessionReused()) counters.tlsResumed++;
      });
      // TLS 1.3 sends it after the handshake, and more than one.
      if (resume) socket.on('session', (session: Buffer) => kept.set(client, session));
    },
  };
}
