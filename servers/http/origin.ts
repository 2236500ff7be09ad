// Tells which page may read a response that does not end. The gate has decided whether the page may ask at
// all.

import { isLoopbackOrigin } from '../../core/http/access.ts';
import type { Request } from '../pattern.ts';

/** Lets scripts of a page of this machine read the answer (Fetch, section 3.2, CORS). */
export function corsHeaders({ headers: { origin } }: Request): Record<string, string> {
  const mayRead = typeof origin === 'string' && isLoopbackOrigin(origin);
  return { vary: 'origin', ...(mayRead && { 'access-control-allow-origin': origin }) };
}
