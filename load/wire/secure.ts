// Makes connections over TLS to a target that is not ours, verified against the usual authorities and one of
// the user's. There is no way to leave the check out.

import { isIP } from 'node:net';
import { connect, createSecureContext, rootCertificates } from 'node:tls';
import type { Connector } from './connection.ts';

/** @param ca PEM of an authority to trust besides the usual ones */
export function secureConnector(ca: string | undefined): Connector {
  // One context for all connections: making it reads every authority anew.
  const secureContext = createSecureContext(ca === undefined ? {} : { ca: [...rootCertificates, ca] });
  return {
    opened: 'secureConnect',
    connect(options) {
      const { host = '' } = options;
      const socket = connect({
        ...options,
        secureContext,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(host) === 0 && { servername: host }),
      });
      socket.setNoDelay(true);
      return socket;
    },
  };
}
