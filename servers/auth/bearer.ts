// Finds the token that a request brings (RFC 6750): in its Authorization field, or in its address, because
// browsers set no fields on EventSource and WebSocket.

import { RequestError } from '../http/request.ts';
import type { Request } from '../pattern.ts';

const challenge = 'Bearer realm="pushbench"';

/**
 * @throws RequestError 401 without one, 400 with more than one (section 2)
 */
export function bearerOf(request: Pick<Request, 'headers'>, url: URL): string {
  const inField = /^bearer +([\w.~+/-]+=*) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const inAddress = url.searchParams.getAll('access_token');
  const all = inField === undefined ? inAddress : [inField, ...inAddress];
  if (all.length > 1)
    throw new RequestError(400, 'invalid_request', 'the request brings more than one token', {
      'www-authenticate': `${challenge}, error="invalid_request"`,
    });
  const [token] = all;
  if (token !== undefined) return token;
  throw new RequestError(
    401,
    'no-token',
    'this server wants a token: Authorization: Bearer TOKEN, or ?access_token=TOKEN where that cannot be set',
    { 'www-authenticate': challenge },
  );
}

export function wrongToken(why: string): RequestError {
  return new RequestError(401, 'invalid_token', why, {
    'www-authenticate': `${challenge}, error="invalid_token"`,
  });
}
