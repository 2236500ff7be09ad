// Makes connections over TLS: to a target that is not ours, verified against the usual authorities and one
// of the user's, or to a server of ours, whose certificate alone is trusted. There is no way to leave the
// check out.

import { isIP } from 'node:net';
import { connect, createSecureContext, rootCertificates, type SecureContextOptions } from 'node:tls';
import type { Endpoint } from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { Connector } from './connection.ts';
import { createTlsSessions, type TlsSessions } from './tls-sessions.ts';

/** @param ca PEM of an authority to trust besides the usual ones */
export function secureConnector(ca: string | undefined): Connector {
  return connectorWith(ca === undefined ? {} : { ca: [...rootCertificates, ca] });
}

/** Connections to a server of ours. @param endpoint over HTTP/1.1 */
export function ownConnector(
  { certificate, resumesTls = false }: Pick<Endpoint, 'certificate' | 'resumesTls'>,
  counters: Counters,
): Connector {
  return connectorWith(
    certificate === undefined ? {} : { ca: certificate },
    createTlsSessions(counters, resumesTls),
  );
}

function connectorWith(trusted: SecureContextOptions, sessions?: TlsSessions): Connector {
  // One context for all connections: making it reads every authority again.
  const secureContext = createSecureContext(trusted);
  return {
    opened: 'secureConnect',
    connect(options, client) {
      const { host = '' } = options;
      const socket = connect({
        ...options,
        ...sessions?.of(client),
        secureContext,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(host) === 0 && { servername: host }),
      });
      socket.setNoDelay(true);
      sessions?.follow(client, socket);
      return socket;
    },
  };
}
