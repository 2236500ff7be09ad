// Decides whether a variant can have what a scenario asks of its server besides limits: TLS and tokens.

import type { Pattern } from '../pattern/pattern.ts';

/**
 * Why it cannot; undefined where it can.
 * @param label what the variant is called
 */
export function whyNot(
  what: 'tls' | 'auth',
  pattern: Pattern,
  options: Readonly<Record<string, unknown>>,
  label: string,
): string | undefined {
  if (pattern.lacks['behind-nat'] !== undefined) {
    const kept = what === 'tls' ? 'TLS is for connections' : 'tokens are for requests';
    return `the server of "${label}" opens the connections that events go over, and ${kept} of clients`;
  }
  if (what === 'tls' && pattern.httpVersion?.(options) === 'h2c')
    return `"${label}" is HTTP/2 in clear text; over: h2 is the same over TLS`;
  return undefined;
}
