// Counts a pattern's connections and their bytes. Requests and events are the pattern's own to count.

import type { Socket } from 'node:net';
import type { Counters } from '../../core/result/counters.ts';

export type Tally = {
  /**
   * Counts this connection and its bytes, from its first byte on. It may be closed already; adding it
   * twice is adding it once.
   */
  add(socket: Socket): void;
  /** All counters as they are at this moment, the bytes of live connections included. */
  read(): Counters;
};

/**
 * Bytes are what the application hands to TCP or gets from it: `bytesWritten` and `bytesRead` of the socket.
 * Of a `TLSSocket` they count plaintext, without handshakes and records, which is what
 * its other end counts too.
 * @param counters everything that the pattern counts by itself; closed connections are added to it
 */
export function createTally(counters: Counters): Tally {
  const live = new Set<Socket>();
  const settle = (socket: Socket) => {
    live.delete(socket);
    counters.connectionsClosed++;
    counters.bytesIn += socket.bytesRead;
    counters.bytesOut += socket.bytesWritten;
  };
  return {
    add(socket) {
      if (live.has(socket)) return;
      counters.connectionsOpened++;
      if (socket.closed) return settle(socket);
      live.add(socket);
      socket.once('close', () => settle(socket));
    },
    read() {
      const now = { ...counters };
      for (const socket of live) {
        now.bytesIn += socket.bytesRead;
        now.bytesOut += socket.bytesWritten;
      }
      return now;
    },
  };
}
