// Lists the faults of several servers that the parts of the validation try: what the timeline says, with
// everything in it drawn, and what must hold of a trial beside what must hold of all.

import type { Random } from '../../../core/base/random.ts';

/** What a fault is drawn from. */
export type Draw = {
  next: Random;
  /** From `low` to `high`, a whole number of milliseconds. */
  ms(low: number, high: number): number;
  /** Which of the faults of its trial it is, from 0. */
  slot: number;
  /** One of the servers that run from the beginning, by its number, and not that of the fault before. */
  server: number;
  /** How many of these there are. */
  count: number;
  inFront: 'list' | 'haproxy';
  /** `30%` to `100%`. */
  share(): string;
};

export type FaultKind = {
  /** What a page calls it. */
  name: string;
  family: Family;
  /** Lines of the timeline, for one fault. @param atMs when the first is due */
  faults(atMs: number, draw: Draw): string[];
  /** How often it happens in a trial, and the time that each has, where the usual ones do not fit. */
  times?: number;
  slotMs?: number;
  /** How many servers there are, where it takes some away for good. */
  servers?: 3;
  /** Only with HAProxy, as it is told something. */
  inFront?: true;
  /** Only with streams and sockets, which can be read slowly. */
  streams?: true;
  /** `nobody`: no subscriber is away, `somebody`: one at least is, where it holds a stream or a socket. */
  away: 'nobody' | 'somebody';
  /** It has ended when the trial ends. */
  ends?: true;
};

export const families = {
  servers: 'servers that end, start, stand still or cut connections',
  broker: 'a broker that is away, or cut off from servers',
  deploys: 'servers that are drained, replaced, or refuse',
  network: 'a network between subscribers and servers that fails, and subscribers that do not read',
  'in front': 'HAProxy that is told to drain, close or reload',
} as const;
export type Family = keyof typeof families;

/** Two lines of one fault follow each other within it. */
const pairMs = 100;
const back = (what: string): FaultKind['faults'] => {
  return (at, { server, ms }) => [
    `{ at: ${at}ms, ${what}: ${server} }`,
    `{ at: ${at + ms(100, 500)}ms, restart: ${server} }`,
  ];
};
const network = (
  name: string,
  between: 'clients' | 'broker',
  conditions: string,
  away: FaultKind['away'],
): FaultKind => ({
  name: `network to ${between === 'clients' ? 'subscribers' : 'the broker'}: ${name}`,
  family: between === 'clients' ? 'network' : 'broker',
  away,
  faults: (at, { ms, share }) => {
    const rest = `between: ${between}, share: ${share()}`;
    if (conditions === 'reset') return [`{ at: ${at}ms, network: { reset: true }, ${rest} }`];
    const one = `{ at: ${at}ms, network: { ${conditions} }, ${rest}, for: ${ms(200, 800)}ms }`;
    // Connections that are there go on, so some are reset to have new ones.
    if (!conditions.startsWith('black-hole')) return [one];
    return [
      one,
      `{ at: ${at + ms(1, pairMs)}ms, network: { reset: true }, between: ${between}, share: 50% }`,
    ];
  },
});

export const kinds: readonly FaultKind[] = [
  {
    name: 'stop',
    family: 'servers',
    times: 2,
    servers: 3,
    away: 'somebody',
    faults: (at, { server }) => [`{ at: ${at}ms, stop: ${server} }`],
  },
  {
    name: 'kill',
    family: 'servers',
    times: 2,
    servers: 3,
    away: 'somebody',
    faults: (at, { server }) => [`{ at: ${at}ms, kill: ${server} }`],
  },
  { name: 'kill, then restart', family: 'servers', slotMs: 1800, away: 'somebody', faults: back('kill') },
  { name: 'stop, then restart', family: 'servers', slotMs: 1800, away: 'somebody', faults: back('stop') },
  {
    name: 'start one more',
    family: 'servers',
    times: 2,
    away: 'nobody',
    faults: (at, { count, slot }) => [`{ at: ${at}ms, start: ${count + 1 + slot} }`],
  },
  {
    name: 'freeze one server',
    family: 'servers',
    away: 'nobody',
    faults: (at, { server, ms }) => [
      `{ at: ${at}ms, freeze: server, server: ${server}, for: ${ms(100, 900)}ms }`,
    ],
  },
  {
    name: 'disconnect a share',
    family: 'servers',
    away: 'somebody',
    faults: (at, { next, server, share }) => [
      `{ at: ${at}ms, disconnect: ${share()}${next() < 0.5 ? '' : `, server: ${server}`} }`,
    ],
  },
  ...(['restart', 'freeze', 'kill'] as const).map((how): FaultKind => ({
    name: `broker: ${how}`,
    family: 'broker',
    // A broker takes its time to listen again.
    slotMs: 2500,
    away: 'nobody',
    faults: (at, { ms }) => [`{ at: ${at}ms, broker: ${how}, for: ${ms(100, 900)}ms }`],
  })),
  network('reset', 'broker', 'reset', 'nobody'),
  network('silence', 'broker', 'silence: both', 'nobody'),
  network('black hole', 'broker', 'black-hole: true', 'nobody'),
  network('partition', 'broker', 'partition: true', 'nobody'),
  {
    name: 'drain',
    family: 'deploys',
    times: 2,
    slotMs: 2000,
    servers: 3,
    away: 'somebody',
    // HAProxy is told first, else it gives everybody to the drained server, which has the fewest.
    faults: (at, { server, inFront, ms }) => [
      ...(inFront === 'haproxy' ? [`{ at: ${at}ms, in-front: drain, server: ${server} }`] : []),
      `{ at: ${at + pairMs}ms, drain: ${server}, window: ${ms(0, 400)}ms, limit: ${ms(400, 1200)}ms }`,
    ],
  },
  {
    name: 'refuse: accept-then-close',
    family: 'deploys',
    away: 'somebody',
    // Connections that are there go on, so all of that server are cut.
    faults: (at, { server, ms }) => [
      `{ at: ${at}ms, refuse: accept-then-close, server: ${server}, for: ${ms(200, 900)}ms }`,
      `{ at: ${at + ms(1, pairMs)}ms, disconnect: 100%, server: ${server} }`,
    ],
  },
  {
    name: 'refuse: dependency-down',
    family: 'deploys',
    away: 'somebody',
    faults: (at, { next, server, ms }) => [
      `{ at: ${at}ms, refuse: dependency-down, for: ${ms(200, 900)}ms` +
        `${next() < 0.3 ? '' : `, server: ${server}`} }`,
    ],
  },
  {
    name: 'deploy: rolling',
    family: 'deploys',
    times: 1,
    slotMs: 8000,
    away: 'somebody',
    ends: true,
    faults: (at, { ms }) => [
      `{ at: ${at}ms, deploy: rolling, window: ${ms(0, 300)}ms, limit: ${ms(300, 800)}ms, ` +
        `pause: ${ms(0, 100)}ms }`,
    ],
  },
  {
    name: 'deploy: blue-green',
    family: 'deploys',
    times: 1,
    slotMs: 5000,
    away: 'somebody',
    ends: true,
    faults: (at, { ms }) => [
      `{ at: ${at}ms, deploy: blue-green, window: ${ms(0, 400)}ms, limit: ${ms(400, 1000)}ms }`,
    ],
  },
  network('reset', 'clients', 'reset', 'somebody'),
  network('silence', 'clients', 'silence: both', 'nobody'),
  network('black hole', 'clients', 'black-hole: true', 'somebody'),
  network('partition', 'clients', 'partition: true', 'somebody'),
  {
    name: 'slow readers',
    family: 'network',
    streams: true,
    away: 'nobody',
    faults: (at, { share, ms, next }) => [
      `{ at: ${at}ms, slow: ${share()}, for: ${ms(200, 900)}ms${next() < 0.5 ? '' : ', rate: 1KiB/s'} }`,
    ],
  },
  {
    name: 'in front: drain, then ready',
    family: 'in front',
    inFront: true,
    away: 'nobody',
    faults: (at, { server, ms }) => [
      `{ at: ${at}ms, in-front: drain, server: ${server} }`,
      `{ at: ${at + ms(100, 500)}ms, in-front: ready, server: ${server} }`,
    ],
  },
  {
    name: 'in front: shutdown',
    family: 'in front',
    inFront: true,
    away: 'somebody',
    faults: (at, { server }) => [`{ at: ${at}ms, in-front: shutdown, server: ${server} }`],
  },
  {
    name: 'in front: reload',
    family: 'in front',
    inFront: true,
    away: 'nobody',
    faults: (at) => [`{ at: ${at}ms, in-front: reload }`],
  },
];
