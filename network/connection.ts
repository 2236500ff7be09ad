// Joins a client's socket with one to the server: a lane each way, the end of one side made known to the
// other, and what the network does to both.

import { randomInt } from 'node:crypto';
import { connect, isIP, type Socket } from 'node:net';
import type { Address } from '../core/base/address.ts';
import type { Clock } from '../core/base/clock.ts';
import type { Random } from '../core/base/random.ts';
import { connectionsFromUsual, freshAddresses, sourceAddress } from '../core/base/source-address.ts';
import { looksInside, type Conditions } from '../core/network/conditions.ts';
import type { Traffic } from '../core/protocol/network.ts';
import { handshakeUs } from './conditions.ts';
import { createGate, type Gate, type GateEnds } from './http-gate.ts';
import { createLane, type Budget, type Lane, type Sink } from './lane.ts';

export type Connection = {
  /** When the last bytes came, from either side. */
  lastUs(): number;
  setConditions(conditions: Conditions): void;
  /** Both sides see a reset, at once. */
  reset(): void;
  /** Both sides see the end, at once. */
  cut(): void;
};

export type ConnectionParts = {
  client: Socket;
  to: Address;
  /** How many connections are open already: it decides from which loopback address the server is dialled. */
  others: number;
  conditions: Conditions;
  budget: Budget;
  clock: Pick<Clock, 'nowUs'>;
  random: Random;
  traffic: Traffic;
  closed(): void;
};

/**
 * All servers' bytes are read into this one buffer and copied out at once, so that thousands of idle
 * connections do not hold 64 KiB each.
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024);
/** For connections beyond those of 127.0.0.1; a process holds fewer. */
const addresses = freshAddresses(1_000_000, 1, randomInt);

export function openConnection(parts: ConnectionParts): Connection {
  const { client, to, budget, clock, random, traffic } = parts;
  let { conditions } = parts;
  let lastUs = clock.nowUs();
  let server: Socket | undefined;
  /** Sockets that have not closed yet. */
  let left = 1;
  const laneOptions = { conditions, budget, clock, random };
  const up = createLane({
    ...laneOptions,
    direction: 'up',
    source: client,
    fromUs: lastUs + handshakeUs(conditions, random),
    passed: (bytes) => (traffic.bytesUp += bytes),
  });
  const down = createLane({
    ...laneOptions,
    direction: 'down',
    source: { pause: () => server?.pause(), resume: () => server?.resume() },
    fromUs: lastUs,
    passed: (bytes) => (traffic.bytesDown += bytes),
  });
  const gate = looksInside(conditions) ? gateOf(conditions) : undefined;

  function gateOf(looked: Conditions): Gate {
    const ends: GateEnds = {
      toServer: up.push,
      toClient: down.push,
      refuse(answer) {
        traffic.upgradesRefused++;
        down.push(answer);
        down.end('end');
        server?.destroy();
      },
      stripped: () => traffic.upgradesStripped++,
      unreadable: () => traffic.unreadable++,
    };
    return createGate(looked, ends, budget);
  }

  /** Nothing is passed on any more, and nothing held. */
  function stop(): void {
    gate?.stop();
    up.stop();
    down.stop();
  }

  /** What both sockets have in common: their end, and the lanes that it concerns. */
  function attach(socket: Socket, from: Lane, into: Lane): void {
    socket.on('error', () => {}); // 'close' tells whether there was one
    socket.on('drain', () => into.drained());
    socket.on('close', (failed) => {
      if (failed) from.end('reset');
      if (--left > 0) return;
      stop();
      parts.closed();
    });
  }

  function dial(): void {
    left++;
    server = connect({
      ...to,
      noDelay: true,
      allowHalfOpen: true,
      ...sourceOf(parts),
      onread: {
        buffer: shared,
        callback(length) {
          lastUs = clock.nowUs();
          const bytes = Buffer.from(shared.subarray(0, length));
          if (gate) gate.fromServer(bytes);
          else down.push(bytes);
          return true;
        },
      },
    });
    attach(server, down, up);
    server.on('end', () => {
      gate?.serverEnded();
      down.end('end');
    });
    up.open(sinkOf(server));
  }

  attach(client, up, down);
  client.on('data', (bytes: Buffer) => {
    lastUs = clock.nowUs();
    if (gate) gate.fromClient(bytes);
    else up.push(bytes);
  });
  client.on('end', () => {
    gate?.clientEnded();
    up.end('end');
    // In a black hole there is no connection to a server whose end would end this side.
    if (!server) client.end();
  });
  down.open(sinkOf(client));
  if (!conditions.blackHole) dial();

  function both(act: (socket: Socket) => void): void {
    stop();
    act(client);
    if (server) act(server);
  }

  return {
    lastUs: () => lastUs,
    setConditions(next) {
      conditions = next;
      up.setConditions(next);
      down.setConditions(next);
      if (!looksInside(next)) gate?.open();
      if (!server && !next.blackHole && !client.destroyed) dial();
    },
    reset: () => both((socket) => socket.resetAndDestroy()),
    cut: () => both((socket) => socket.destroy()),
  };
}

/** Where a server is dialled from; from 127.0.0.1 when left out. */
function sourceOf({ others, to }: Pick<ConnectionParts, 'others' | 'to'>): { localAddress?: string } {
  // Only Linux has other loopback addresses, and IPv6 has none.
  const usual = others < connectionsFromUsual || isIP(to.host) === 6 || process.platform !== 'linux';
  return usual ? {} : { localAddress: sourceAddress(others, addresses) };
}

/** Writes to a socket that is closed already succeed and go nowhere, so that its lane empties. */
function sinkOf(socket: Socket): Sink {
  return {
    write: (bytes) => socket.destroyed || socket.write(bytes),
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  };
}
