// Asks for the server's token where the API of webhook delivery and its dashboard are used from another
// machine, or through a proxy. Programs on this machine need none. Which Host and which web pages are let in
// at all, the gate in front has decided (core/http/access.ts): the dashboard's own page alone.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { hostOf, isLoopbackHost, proxyHeaderIn } from '../../../core/http/access.ts';
import type { Handler, Request, Response } from '../../pattern.ts';
import { endWith, RequestError } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';
import { specialUse } from '../sending/guard.ts';

export type Access = {
  /** Made at each start; shown to the operator alone. */
  readonly token: string;
  /** The routes, each behind the check. @throws RequestError 401, in the handler */
  protect(routes: Routes): Routes;
};

export function createAccess(): Access {
  const token = randomBytes(24).toString('base64url');

  function isToken(text: string | undefined | null): boolean {
    return typeof text === 'string' && timingSafeEqual(digest(text), digest(token));
  }

  function check(request: Request): void {
    const [, bearer] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (isToken(bearer) || isToken(cookie(request))) return;
    const from = whyElsewhere(request);
    if (from === undefined) return;
    const how =
      'send "Authorization: Bearer TOKEN", or open the dashboard at the address that the server prints' +
      ' when it is started with --host or --allow-host';
    throw new RequestError(401, 'token', `${from} this API needs its token: ${how}`);
  }

  /** The address that the operator was given leads in: the token moves from the URL into a cookie. */
  function enter(request: Request, response: Response, url: URL): boolean {
    if (request.method !== 'GET' || !isToken(url.searchParams.get('token'))) return false;
    endWith(response, 303, {
      location: url.pathname,
      'set-cookie': `${cookieName(request)}=${token}; HttpOnly; SameSite=Strict; Path=/`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    return true;
  }

  return {
    token,
    protect: (routes) =>
      Object.fromEntries(
        Object.entries(routes).map(([key, handler]): [string, Handler] => [
          key,
          (request, response, url) => {
            if (enter(request, response, url)) return undefined;
            check(request);
            return handler(request, response, url);
          },
        ]),
      ),
  };
}

/** Of one length, so that comparing takes the same time whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Cookies know no ports, and two servers may run on one machine. */
function cookieName({ socket }: Request): string {
  return `pushbench-${socket.localPort}`;
}

function cookie(request: Request): string | undefined {
  const name = cookieName(request);
  const pairs = (request.headers.cookie ?? '').split(/; */);
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * What tells that a request did not begin on this machine, undefined when nothing does. A proxy here connects
 * from loopback as a program does: it shows by the headers that it adds, or by a Host that is not a name of
 * loopback.
 */
function whyElsewhere({ headers, socket }: Request): string | undefined {
  if (specialUse(socket.remoteAddress ?? '') !== 'loopback') return 'from another machine';
  const header = proxyHeaderIn(headers);
  if (header !== undefined) return `through a proxy (it sent ${header})`;
  return isLoopbackHost(hostOf(headers.host ?? '') ?? '') ? undefined : 'under another name than localhost';
}
