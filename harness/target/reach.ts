// Finds out whether anything answers where a target file points: one connection to each host before the
// thousands of subscribers, so that a target that is down or a certificate that nobody trusts is reported at
// once and plainly.

import { isIP, connect as connectTcp } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { TargetAccess } from '../../core/target/access.ts';

export type Host = { host: string; port: number; secure: boolean };

const withinMs = 5000;

/**
 * Why a host cannot be reached, with what to do, or nothing when it can.
 * @param over ends the attempt; then the answer says nothing
 */
export function problemReaching(
  { host, port, secure }: Host,
  { ca }: Pick<TargetAccess, 'ca'>,
  over?: AbortSignal,
): Promise<string | undefined> {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve) => {
    const socket = secure
      ? connectTls({
          host,
          port,
          ...(isIP(host) === 0 && { servername: host }),
          ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
        })
      : connectTcp({ host, port });
    const end = (problem: string | undefined) => {
      clearTimeout(timer);
      over?.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(problem);
    };
    const onAbort = () => end('not asked to the end');
    over?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(
      () =>
        end(
          `${where} did not answer within ${withinMs / 1000} s: ` +
            'is the address right, and is no firewall in the way?',
        ),
      withinMs,
    );
    socket.once(secure ? 'secureConnect' : 'connect', () => end(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => end(`${where}: ${adviceFor(error, secure)}`));
  });
}

function adviceFor({ code = 'unknown', message }: NodeJS.ErrnoException, secure: boolean): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there. Is the system running, on this port?';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `there is no such host (${code}). Is its name spelt right?`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return (
        `its certificate is not signed by an authority that is known here (${code}). Name the PEM file of ` +
        'the one that signed it: tls: { ca: ./ca.pem }'
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for another name (${message}). Write the name that it is for into "url"`;
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    default:
      if (secure && (code === 'EPROTO' || code === 'ECONNRESET' || code.startsWith('ERR_SSL')))
        return `it does not speak TLS there (${code}). Is it http:// instead of https://?`;
      return `${message} (${code})`;
  }
}
