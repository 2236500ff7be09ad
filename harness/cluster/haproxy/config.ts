// Writes HAProxy's configuration for the servers of a trial: every line with the reason why it stands there.
// Computes text and does no I/O. docs/cluster/in-front.md shows the lines and their reasons as they are here.

import { listenBacklog } from '../../../core/base/listen-backlog.ts';
import { readyPath } from '../../../core/http/ready.ts';
import type { HealthCheck } from '../../../core/scenario/servers.ts';

/** What the servers speak decides how much HAProxy can see: `http` reads requests, `tcp` passes bytes on. */
export type HaproxyMode = 'http' | 'tcp';

export type ServerPlace = {
  host: string;
  port: number;
  /** Where health is asked for, of a server whose port speaks TLS or HTTP/2. */
  checkPort?: number | undefined;
};

export type HaproxySetup = {
  /** Where it takes connections. */
  host: string;
  port: number;
  /** Addresses of the servers, the first is number 1. */
  servers: readonly ServerPlace[];
  mode: HaproxyMode;
  /** A cookie brings a client back to its server. Only in mode `http`. */
  sticky: boolean;
  /** A connection without a byte for this long is cut, whatever it carries. */
  idleMs: number;
  /** The most that one server gets at a time; more wait in a queue. No bound when left out. */
  maxconn?: number | undefined;
  /** A server that is back gets its full share over this time; at once when left out. */
  slowstartMs?: number | undefined;
  check: HealthCheck;
  /** The most connections that it takes. */
  connections: number;
  /** Servers' states are read from this file when it starts: what a reload takes over. */
  stateFile: string;
};

/** A line of the configuration, without its indentation, and why it is there. */
export type ConfigLine = { text: string; why: string };
export type ConfigSection = { name: string; lines: readonly ConfigLine[] };

export const backendName = 'servers';
const frontendName = 'subscribers';
/** The cookie's name; its value is a server's name. */
export const cookieName = 'PUSHBENCH';

const connectMs = 2000;
const queueMs = 30_000;
const headMs = 10_000;
/** Shorter than servers of ours keep an idle connection, so that none is used that is just being closed. */
const poolMs = 2000;
/** HAProxy keeps a time as a number of 32 bits. */
export const longestMs = 2 ** 31 - 1;

/** What HAProxy calls a server. @param number from 1 */
export function serverName(number: number): string {
  return `s${number}`;
}

export function haproxySections(setup: HaproxySetup): ConfigSection[] {
  return [globalSection(setup), defaultsSection(setup), frontendSection(setup), backendSection(setup)];
}

/** @throws RangeError when the setup contradicts itself or HAProxy does not take a value */
export function haproxyConfig(setup: HaproxySetup): string {
  check(setup);
  return haproxySections(setup)
    .map(({ name, lines }) => `${[name, ...lines.map(({ text }) => `  ${text}`)].join('\n')}\n`)
    .join('\n');
}

function globalSection({ connections, stateFile }: HaproxySetup): ConfigSection {
  return {
    name: 'global',
    lines: [
      {
        text: `maxconn ${connections}`,
        why: 'one connection for each subscriber and some to spare; it takes two descriptors each',
      },
      {
        text: 'no strict-limits',
        why: 'it starts even if the limit on descriptors allows fewer; the run was checked before',
      },
      {
        text: 'nbthread 1',
        why: 'one thread, so 100 % of a core means that HAProxy is full',
      },
      {
        text: `server-state-file ${stateFile}`,
        why: 'a reload stores there which servers are drained; otherwise they would be ready again',
      },
      {
        text: 'spread-checks 50',
        why: 'checks come up to half an interval earlier or later, so that they do not all come at once',
      },
    ],
  };
}

function defaultsSection({ mode, idleMs }: HaproxySetup): ConfigSection {
  const idle = `${idleMs}ms`;
  const http: ConfigLine[] = [
    {
      text: `timeout http-request ${headMs}ms`,
      why: 'the head of a request must be complete within this time',
    },
    {
      text: `timeout http-keep-alive ${idle}`,
      why: 'a connection waits this long for its next poll',
    },
    {
      text: 'option idle-close-on-response',
      why: 'during a reload an idle connection is kept until its next poll, whose answer closes it',
    },
    {
      text: 'option http-no-delay',
      why: 'an event is sent at once, and does not wait until a packet is full',
    },
    {
      text: 'option abortonclose',
      why: 'a server is told at once that a subscriber has gone, not only at the next event',
    },
    {
      text: 'http-reuse safe',
      why: 'a connection to a server is reused once its request is answered; a stream keeps its own',
    },
    {
      text: 'option redispatch 1',
      why: 'the second attempt goes to another server, even if the cookie names the first',
    },
  ];
  return {
    name: 'defaults',
    lines: [
      {
        text: `mode ${mode}`,
        why:
          mode === 'http'
            ? 'it reads requests, so it can share connections to servers and set a cookie'
            : 'it passes bytes on; subscriber and server speak HTTP/2 or TLS with each other',
      },
      {
        text: 'load-server-state-from-file global',
        why: 'servers keep their state over a reload',
      },
      { text: `timeout connect ${connectMs}ms`, why: 'a server that does not accept in time has failed' },
      {
        text: `timeout queue ${queueMs}ms`,
        why: 'a subscriber that waits longer for a server with room is answered 503',
      },
      { text: `timeout client ${idle}`, why: 'a subscriber that is silent for this long is cut off' },
      {
        text: `timeout server ${idle}`,
        why: 'a server that is silent for this long is cut off: this limits SSE, streams and held polls',
      },
      {
        text: `timeout tunnel ${idle}`,
        why: 'replaces both once a connection is upgraded: this limits WebSockets',
      },
      { text: 'retries 2', why: 'a connect that failed is tried again' },
      ...(mode === 'http'
        ? http
        : [{ text: 'option redispatch 1', why: 'the second attempt goes to another server' }]),
    ],
  };
}

function frontendSection({ host, port }: HaproxySetup): ConfigSection {
  return {
    name: `frontend ${frontendName}`,
    lines: [
      {
        text: `bind ${address(host, port)} backlog ${listenBacklog}`,
        why: 'the only address that subscribers know, with room for a storm of connects',
      },
      { text: `default_backend ${backendName}`, why: 'all requests go to the servers' },
    ],
  };
}

function backendSection({ servers, sticky, maxconn, slowstartMs, check }: HaproxySetup): ConfigSection {
  const { kind, everyMs, fall, rise } = check;
  const isAsked = kind === 'http';
  const each = [
    `check inter ${everyMs}ms fall ${fall} rise ${rise}`,
    ...(maxconn === undefined ? [] : [`maxconn ${maxconn}`]),
    ...(slowstartMs === undefined ? [] : [`slowstart ${slowstartMs}ms`]),
    `pool-purge-delay ${poolMs}ms`,
  ].join(' ');
  const bounds = [
    ...(maxconn === undefined ? [] : ['gets at most this many sessions at a time (`maxconn`)']),
    ...(slowstartMs === undefined ? [] : ['gets its share gradually when it comes back (`slowstart`)']),
  ].map((text) => `; it ${text}`);
  return {
    name: `backend ${backendName}`,
    lines: [
      {
        text: 'balance leastconn',
        why: 'each connection goes to the server with the fewest: they stay open, so they are the load',
      },
      ...(sticky
        ? [
            {
              text: `cookie ${cookieName} insert indirect nocache`,
              why:
                'an answer names its server in a cookie, and a request with the cookie goes to that ' +
                'server; servers do not see the cookie, and caches keep no answer with it',
            },
          ]
        : []),
      ...(isAsked ? httpCheck : []),
      {
        text: `default-server ${each}`,
        why:
          'a server is down when `fall` checks in a row have failed, and up when `rise` checks have ' +
          (isAsked
            ? 'succeeded. A check without an answer before the next one has failed'
            : 'succeeded. A check is a connect: HAProxy ends the handshake with a reset, so a ' +
              'server sees no connection') +
          bounds.join(''),
      },
      ...servers.map(({ host, port, checkPort }, i) => {
        const name = serverName(i + 1);
        const where = isAsked && checkPort !== undefined ? ` port ${checkPort}` : '';
        return {
          text: `server ${name} ${address(host, port)}${sticky ? ` cookie ${name}` : ''}${where}`,
          why: `server ${i + 1}`,
        };
      }),
    ],
  };
}

const httpCheck: readonly ConfigLine[] = [
  { text: 'option httpchk', why: 'a check makes a request on a connection of its own, not only a connect' },
  {
    text: `http-check send meth GET uri ${readyPath} ver HTTP/1.1 hdr Host localhost`,
    why:
      'the path for load balancers; if a server speaks TLS or HTTP/2, on the port where events are ' +
      'published, which is clear text',
  },
  { text: 'http-check expect status 200', why: 'a server that takes no subscribers answers 503' },
];

/** HAProxy wants IPv6 in brackets. */
function address(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function check(setup: HaproxySetup): void {
  const { servers, mode, sticky, idleMs, maxconn = 1, slowstartMs = 1, connections, stateFile } = setup;
  const { everyMs, fall, rise } = setup.check;
  if (servers.length === 0) throw new RangeError('HAProxy needs a server to stand in front of');
  if (sticky && mode === 'tcp') throw new RangeError(stickyRefusal);
  for (const [name, value] of Object.entries({
    idleMs,
    maxconn,
    slowstartMs,
    connections,
    everyMs,
    fall,
    rise,
  }))
    if (!Number.isInteger(value) || value < 1 || value > longestMs)
      throw new RangeError(`${name} is ${value}; HAProxy takes whole numbers from 1 to ${longestMs}`);
  // What stands in a configuration must be one word; every other text in it is made here.
  if (!/^[\w./-]+$/.test(stateFile)) throw new RangeError(`${stateFile} is not a name for HAProxy's files`);
  for (const { host, port, checkPort = port } of [{ host: setup.host, port: setup.port }, ...servers])
    if (!/^[\da-f:.]+$/i.test(host) || ![port, checkPort].every(isPort))
      throw new RangeError(`${host}:${port} is not an address for HAProxy`);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Why there are no sticky sessions where bytes are passed on. */
export const stickyRefusal =
  'a cookie is read and set in requests, and over HTTP/2 or TLS HAProxy passes bytes on; use haproxy, ' +
  'without sticky sessions';
