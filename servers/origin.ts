// Which web pages may use a server: those of this machine. Anything else that a browser has open could otherwise read
// what the server sends. Programs that are no browsers send no Origin and are not asked.

import type { Request } from './pattern.ts';

/** Whether the request comes from no web page, or from one served by a loopback address (RFC 6454). */
export function isOriginAllowed({ headers: { origin } }: Request): boolean {
  if (origin === undefined) return true;
  const url = typeof origin === 'string' ? URL.parse(origin) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === origin && loopback.test(url.hostname);
}

/** Lets scripts of an allowed page read the answer (Fetch, section 3.2, CORS); pages of other origins are not told. */
export function corsHeaders(request: Request): Record<string, string> {
  const { origin } = request.headers;
  return typeof origin === 'string' && isOriginAllowed(request) ? { vary: 'origin', 'access-control-allow-origin': origin } : { vary: 'origin' };
}

/** `URL` has brought every way of writing 127.0.0.1 into this form. */
const loopback = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/;
