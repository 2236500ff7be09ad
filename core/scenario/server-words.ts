// Says in words what a scenario asks of its server besides limits, for reports.

import { writeDuration } from '../base/units.ts';
import type { ServerAuth, ServerOfScenario } from './server-options.ts';

/**
 * How clients get in: `over TLS, resuming their sessions, with tokens that are checked for 2ms of CPU each`.
 * @returns undefined where they do so freely, in clear text
 */
export function writeWayIn({ tls, auth }: Pick<ServerOfScenario, 'tls' | 'auth'>): string | undefined {
  const parts = [
    ...(tls
      ? [`over TLS, ${tls.resume ? 'resuming their sessions' : 'with a full handshake each time'}`]
      : []),
    ...(auth ? [`with tokens that are ${checks(auth)}`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function checks({ takes, lookup, concurrency, queue }: ServerAuth): string {
  const burnt = takes === 0 ? 'checked' : `checked for ${writeDuration(takes)} of CPU each`;
  if (!lookup) return burnt;
  const where = lookup.kind === 'redis' ? 'in Redis' : `for ${writeDuration(lookup.ms)}`;
  return `${burnt} and looked up ${where}, ${concurrency} at a time with ${queue} in line`;
}
