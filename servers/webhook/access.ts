// Who may use the API of webhook delivery and its dashboard. Programs on this machine: freely. Web pages: the
// dashboard alone, for any page that a browser has open can send requests to this machine. Whoever comes from another
// machine: with the server's token.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Handler, Request, Response } from '../pattern.ts';
import { endWith, RequestError } from '../request.ts';
import type { Routes } from '../router.ts';
import { specialUse } from './guard.ts';

export type Access = {
  /** Made anew at each start; shown to the operator alone. */
  readonly token: string;
  /** The routes, each behind the check. @throws RequestError 401 or 403, in the handler */
  protect(routes: Routes): Routes;
};

export function createAccess(): Access {
  const token = randomBytes(24).toString('base64url');

  function isToken(text: string | undefined | null): boolean {
    return typeof text === 'string' && timingSafeEqual(digest(text), digest(token));
  }

  function check(request: Request): void {
    const { headers, socket } = request;
    const host = headers.host ?? '';
    if (!isSameOrigin(headers.origin, host)) {
      throw new RequestError(403, 'cross-origin', 'pages of another origin may not use this API; programs that are no browsers send no Origin');
    }
    if (isToken(/^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]) || isToken(cookie(request))) return;
    if (specialUse(socket.remoteAddress ?? '') !== 'loopback' || headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined) {
      throw new RequestError(401, 'token', 'from another machine this API needs its token: send "Authorization: Bearer TOKEN", or open the dashboard at the address that the server printed');
    }
    // A name that was made to resolve to this machine would make its page ours (DNS rebinding); an address cannot.
    if (!isLocalHost(host)) throw new RequestError(403, 'host', 'this API answers to localhost and to addresses, not to other names');
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
    protect: (routes) => Object.fromEntries(Object.entries(routes).map(([key, handler]): [string, Handler] => [key, (request, response, url) => {
      if (enter(request, response, url)) return undefined;
      check(request);
      return handler(request, response, url);
    }])),
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

/** Browsers send an Origin with each request that changes something, and with each that scripts of another origin make. */
function isSameOrigin(origin: string | readonly string[] | undefined, host: string): boolean {
  return origin === undefined || (typeof origin === 'string' && URL.parse(origin)?.host === host);
}

function isLocalHost(host: string): boolean {
  const name = URL.parse(`http://${host}`)?.hostname.replace(/^\[|\]$/g, '');
  return name !== undefined && (isIP(name) !== 0 || /^(?:.+\.)?localhost\.?$/.test(name));
}
