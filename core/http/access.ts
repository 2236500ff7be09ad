// Decides from a request's head whether a listener serves it. Any page that a browser has open can send
// requests to any address, loopback included, so every listener of ours asks three things: was it opened for
// this Host, may pages of this Origin read, and may they change anything. Programs that are not browsers send
// no Origin; for them only the Host counts. One rule for all listeners; it does no I/O.

import { BlockList, isIP } from 'node:net';

/** What of a request is judged; Node's requests of HTTP/1.1 and HTTP/2 have this form. */
export type RequestHead = {
  readonly method?: string | undefined;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

export type OpenedListener = {
  scheme: 'http' | 'https';
  /** The address it is bound to, as the system gives it. */
  address: string;
  /** What the operator wrote for it (`--host`): where that is a name, the listener is opened for it. */
  host?: string;
  /** This machine's own name. A listener on all addresses is opened for it. */
  machine?: string;
  /** Further names (`--allow-host`), as `allowedHost` gives them. */
  allowHosts?: readonly string[];
  /** The pages that may read, besides its own: those of every loopback origin, or none. */
  readers: 'loopback-pages' | 'own-pages';
};

export type Verdict =
  | { kind: 'refused'; status: 403 | 421; code: 'host' | 'cross-origin'; message: string }
  /** A page asks whether it may read (Fetch, section 4.8): answer 204 with these headers. */
  | { kind: 'preflight'; headers: Headers }
  /**
   * `headers` let the page read the answer. `mayPublish`: it may change something too, over a socket for
   * example.
   */
  | { kind: 'served'; headers: Headers; mayPublish: boolean };

type Headers = Readonly<Record<string, string>>;

/** Judges one request by its head. */
export type Judge = (head: RequestHead) => Verdict;

const freely: Verdict = { kind: 'served', headers: {}, mayPublish: true };

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const safe = new Set<string | undefined>(['GET', 'HEAD']);

/** Headers that clients of our patterns send or read, and that a page may not without being told so. */
const readingHeaders = {
  sent: 'authorization, cache-control, if-none-match, last-event-id',
  read: 'etag, pushbench-cursor, retry-after',
};

/** How long a browser may remember the answer to a preflight. */
const preflightMaxAgeS = 600;

/** Texts of Host that have been found right are remembered, so that no request but the first pays for it. */
const mostRemembered = 64;

export function createJudge(listener: OpenedListener): Judge {
  const { scheme, readers } = listener;
  const isOpenedFor = openedFor(listener);
  const added = new Set(listener.allowHosts);
  const remembered = new Set<string>();

  /** Whether the listener was opened for this Host or `:authority`. */
  function isOpened(host: string): boolean {
    if (remembered.has(host)) return true;
    const name = hostOf(host);
    const opened = name !== undefined && isOpenedFor(name);
    if (opened && remembered.size < mostRemembered) remembered.add(host);
    return opened;
  }

  /** A name that was added stands for a proxy, which may speak TLS to the browser and none to us. */
  function isOwn(origin: string, host: string | undefined): boolean {
    if (host === undefined) return false;
    const schemes = added.has(hostOf(host) ?? '') ? ['http', 'https'] : [scheme];
    return schemes.some((one) => URL.parse(`${one}://${host}`)?.origin === origin);
  }

  return (head) => {
    const { method, headers } = head;
    const host = hostIn(head);
    // No browser speaks it, and it knows no Host.
    const isOld = host === undefined && head.httpVersion === '1.0';
    if (!isOld && (host === undefined || !isOpened(host))) return notOpenedFor(host);
    const { origin } = headers;
    if (origin === undefined) return isFetchedByAnotherSite(head) ? crossOrigin(readers) : freely;
    if (typeof origin !== 'string') return crossOrigin(readers);
    if (isOwn(origin, host)) return freely;
    if (readers === 'own-pages' || !isLoopbackOrigin(origin)) return crossOrigin(readers);
    const asked = headers['access-control-request-method'];
    if (method === 'OPTIONS' && typeof asked === 'string' && safe.has(asked)) {
      return { kind: 'preflight', headers: preflightHeaders(origin) };
    }
    if (!safe.has(method)) return crossOrigin(readers);
    return { kind: 'served', headers: corsHeaders(origin), mayPublish: false };
  };
}

/**
 * HTTP/2 has `:authority` in the place of Host; where both come they have to agree (RFC 9113, section 8.3.1).
 */
function hostIn({ headers }: RequestHead): string | undefined {
  const { ':authority': authority, host } = headers;
  const [first, second] = [textOf(authority ?? host), textOf(host ?? authority)];
  return first?.toLowerCase() === second?.toLowerCase() ? first : undefined;
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * A second fence, for requests that browsers send without an Origin: images, scripts, frames and forms by
 * GET. What they bring cannot be read, mostly, but it holds connections, and JSON that runs as a script has
 * been read before. Sec-Fetch-Site (Fetch Metadata) tells them; programs and old browsers do not send it. A
 * reader who follows a link to us from another site is let in: nothing on that site sees the answer.
 * `same-site` is refused too, as ports do not count in it: localhost:3000 is of the same site as
 * localhost:8080.
 */
function isFetchedByAnotherSite({ method, headers }: RequestHead): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  return !(safe.has(method) && mode === 'navigate' && destination === 'document');
}

function corsHeaders(origin: string): Headers {
  return {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': readingHeaders.read,
  };
}

/**
 * Without `access-control-allow-private-network`: a page of the internet is not let in by a browser that asks
 * for it.
 */
function preflightHeaders(origin: string): Headers {
  return {
    vary: 'origin, access-control-request-method',
    'access-control-allow-origin': origin,
    'access-control-allow-methods': [...safe].join(', '),
    'access-control-allow-headers': readingHeaders.sent,
    'access-control-max-age': String(preflightMaxAgeS),
  };
}

/** 421: the request came to the wrong server, and repeating it here does not help (RFC 9110, 15.5.20). */
function notOpenedFor(host: string | undefined): Verdict {
  const name = host === undefined ? undefined : hostOf(host);
  const which = host === undefined ? 'a request without a Host' : `the host "${host.slice(0, 100)}"`;
  const how =
    name === undefined
      ? 'add a name with --allow-host NAME'
      : `if it should be, start it with --allow-host ${name.slice(0, 100)}`;
  const message =
    `this server was not opened for ${which}, which a web page ` +
    `could use to get in (DNS rebinding); ${how}`;
  return { kind: 'refused', status: 421, code: 'host', message };
}

function crossOrigin(readers: OpenedListener['readers']): Verdict {
  const what =
    readers === 'own-pages' ? 'use this server' : 'publish here, and those from other machines may not read';
  return {
    kind: 'refused',
    status: 403,
    code: 'cross-origin',
    message: `pages of another origin may not ${what}; programs that are not browsers send no Origin`,
  };
}

/** Which hosts a listener answers to, as `hostOf` gives them. */
function openedFor({ address, host, machine, allowHosts = [] }: OpenedListener): (name: string) => boolean {
  const bound = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, ''); // without zone, IPv4 as such
  const isOnAll = bound === '::' || bound === '0.0.0.0';
  const given = [host, isOnAll ? machine : undefined].map((text) => hostOf(text ?? ''));
  const names = new Set<string | undefined>([...allowHosts, ...given]);
  if (isLoopbackHost(bound)) return (name) => isLoopbackHost(name) || names.has(name);
  // An address in Host is what the client connected to: no page can make an address of ours its own.
  if (isOnAll) return (name) => isIP(name) !== 0 || isLoopbackHost(name) || names.has(name);
  const own = hostOf(isIP(bound) === 6 ? `[${bound}]` : bound);
  return (name) => name === own || names.has(name);
}

/**
 * The host of a Host header, without its port: lower case, IPv6 without brackets, every way of writing an
 * address brought into one.
 * @returns undefined when it is none (RFC 9110, section 7.2)
 */
export function hostOf(text: string): string | undefined {
  if (!/^(?:\[[\da-f:.]+\]|[\w.~-]+)(?::\d*)?$/i.test(text)) return undefined;
  const bare = URL.parse(`http://${text}`)?.hostname.replace(/^\[|\]$|\.$/g, '');
  return bare?.replace(/^::ffff:([\da-f]+):([\da-f]+)$/, unmapped);
}

/** IPv4 in IPv6, as `URL` writes it, in its own form. */
function unmapped(_: string, high: string, low: string): string {
  const halves = [high, low].map((half) => Number.parseInt(half, 16));
  return halves.flatMap((half) => [half >> 8, half & 255]).join('.');
}

/**
 * A name or address as `--allow-host` takes it: without scheme, port and path. @returns undefined when it is
 * none
 */
export function allowedHost(text: string): string | undefined {
  const bare = isIP(text) === 6 ? `[${text}]` : text;
  return /:\d*$/.test(bare) ? undefined : hostOf(bare);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4'); // and what is mapped into IPv6 of it
loopback.addAddress('::1', 'ipv6');

/**
 * Whether a host reaches this machine alone. `name`, `name.localhost` (RFC 6761, section 6.3) or an address.
 */
export function isLoopbackHost(name: string): boolean {
  const kind = isIP(name);
  return kind === 0 ? /^(?:.+\.)?localhost$/.test(name) : loopback.check(name, kind === 6 ? 'ipv6' : 'ipv4');
}

/** Whether an Origin (RFC 6454, section 7) is that of a page which this machine serves. */
export function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin) return false;
  return isLoopbackHost(hostOf(url.host) ?? '');
}

/** What proxies and CDNs add to the requests that they pass on, beside `x-forwarded-*`. */
const proxyHeaders = new Set([
  'forwarded',
  'via',
  'cdn-loop',
  'x-forwarded',
  'forwarded-for',
  'x-original-forwarded-for',
  'x-original-host',
  'x-real-ip',
  'x-client-ip',
  'client-ip',
  'true-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'proxy-client-ip',
  'wl-proxy-client-ip',
  'x-proxyuser-ip',
  'front-end-https',
  'x-varnish',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-ray',
  'fly-client-ip',
  'fastly-client-ip',
  'do-connecting-ip',
  'x-nf-client-connection-ip',
  'x-appengine-user-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-envoy-external-address',
  'x-vercel-id',
  'tailscale-user-login',
]);

/** The header by which a proxy made itself known, undefined when none did. */
export function proxyHeaderIn(headers: RequestHead['headers']): string | undefined {
  return Object.keys(headers).find((name) => name.startsWith('x-forwarded-') || proxyHeaders.has(name));
}
