// Says how our listeners speak TLS: 1.3 or 1.2, with the test certificate, and with tickets that other
// servers of the same run take too.

import { hash } from 'node:crypto';
import type { TlsOptions, TLSSocket } from 'node:tls';
import type { Counters } from '../../core/result/counters.ts';
import type { TlsSetup } from '../../core/scenario/server-options.ts';
import { testCertificate, testKey } from './test-certificate.ts';

/** Certificate, key and ticket keys. */
export function serverSecrets(tls?: TlsSetup): TlsOptions {
  const { ticketSeed } = tls ?? {};
  return {
    cert: testCertificate,
    key: testKey,
    minVersion: 'TLSv1.2',
    // 48 bytes, as many as Node wants. No less secret than the certificate's key.
    ...(ticketSeed !== undefined && {
      ticketKeys: hash('sha384', `pushbench tickets of seed ${ticketSeed}`, 'buffer'),
    }),
  };
}

/** Whether a handshake failed because the client went away: it probed the port, or gave up. */
export function hasGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

export function countHandshake(socket: TLSSocket, counters: Counters): void {
  counters.tlsHandshakes++;
  if (socket.isSessionReused()) counters.tlsResumed++;
}
