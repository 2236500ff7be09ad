// Puts what subscribers go through in front of the servers of a trial: a list of all that they know, or a
// process that gives each connection to one of them.

import type { Endpoint } from '../../core/protocol/control.ts';
import type { InFront, ProxyInFront } from '../../core/scenario/servers.ts';
import type { BesideProcess } from './beside.ts';
import { createHaproxy, type Haproxy } from './haproxy/haproxy.ts';
import { haproxyVersion } from './haproxy/process.ts';
import { findPort } from './ports.ts';

/** A server, as the proxy in front of it knows it. */
export type BehindServer = {
  /** From 1. */
  number: number;
  /** `http://127.0.0.1:PORT`; a server that a fault starts later has its port from the beginning. */
  url: string;
  /** Where events are published to it, and health is asked for: in clear text. */
  publishUrl: string;
};

export type FrontSetup = {
  servers: readonly BehindServer[];
  /** What the servers speak. */
  over: Endpoint['over'];
  subscribers: number;
};

/** Connections on top of the subscribers': old ones that are still closing while subscribers come back. */
const spareConnections = 2000;

/** What is in front, as a process of the trial; undefined where there is none. */
export type FrontProcess = BesideProcess & Haproxy;

/** For subscribers that know all servers, also those that start later and refuse until then. */
export function listOf({ servers }: FrontSetup): Pick<Endpoint, 'url' | 'urls'> {
  const urls = servers.map(({ url }) => url);
  return { url: urls[0]!, urls }; // there is a server
}

/** @throws UserError when it is not installed */
export function frontVersion({ kind }: InFront): string | undefined {
  return kind === 'list' ? undefined : haproxyVersion();
}

/**
 * HAProxy; it does not run before its `start`. It reads requests where they are HTTP/1.1 in clear text, and
 * passes bytes on where they are HTTP/2 or TLS.
 */
export function createFront(
  { kind, idleMs, maxconn, slowstartMs, check }: ProxyInFront,
  { servers, over, subscribers }: FrontSetup,
): FrontProcess {
  const urls = servers.map(({ url }) => url);
  const isClear = over === 'h1' && urls.every((url) => url.startsWith('http:'));
  return createHaproxy({
    servers: urls,
    ...(!isClear && { checked: servers.map(({ publishUrl }) => publishUrl) }),
    mode: isClear ? 'http' : 'tcp',
    sticky: kind === 'haproxy-sticky',
    idleMs,
    maxconn,
    slowstartMs,
    check,
    connections: subscribers + spareConnections,
    freePort: () => findPort(),
  });
}
