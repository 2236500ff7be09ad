// Finds ports for servers that may go and come back. The system's own choice lies among the ports that
// connections take theirs from: a client that asks in vain for such a port can be given that very one for its
// own end, is then connected to itself, and the server that comes back finds its port taken.

import { createServer, type Server } from 'node:net';
import { randomInt } from 'node:crypto';
import { loopback } from '../../core/base/loopback.ts';
import { ephemeralPorts } from '../process/probe.ts';
import { systemFiles, type SystemFiles } from '../process/system-files.ts';

/** Below are ports of well-known services. */
const leastPort = 10_240;
const mostPort = 65_535;
/** After so many tries the system chooses. */
const attempts = 50;
/** Ports that were given last, the oldest first, each with the socket that keeps it from others. */
const given = new Map<number, Server | undefined>();
const rememberedMost = 1000;

/** A free port, outside of the range that the system gives to outgoing connections, where there are any. */
export async function findPort(files: Pick<SystemFiles, 'read'> = systemFiles): Promise<number> {
  const taken = ephemeralPorts(files) ?? { from: 32_768, to: 60_999 };
  const below = Math.max(0, Math.min(taken.from, mostPort) - leastPort);
  const above = Math.max(0, mostPort - Math.max(taken.to, leastPort));
  for (let i = 0; i < attempts && below + above > 0; i++) {
    const place = randomInt(below + above);
    const port = place < below ? leastPort + place : taken.to + 1 + (place - below);
    if (given.has(port) || !(await claim(port))) continue;
    if (await bound(port)) return port;
  }
  const port = await bound(0);
  if (port === undefined) throw new Error('no port is free on the loopback address');
  return port;
}

/**
 * The process that a port was given to may not listen on it yet. So it is kept from all others who look for
 * one, in other runs on this machine too, by a socket with an abstract name (unix(7)): it leaves no file and
 * goes with this process. Systems without such names do not let other runs know.
 * @returns whether nobody else was given it
 */
function claim(port: number): Promise<boolean> {
  const name = createServer().unref();
  return new Promise((resolve) => {
    name.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'EADDRINUSE') remember(port);
      resolve(code !== 'EADDRINUSE');
    });
    name.listen(`\0pushbench-port-${port}`, () => {
      remember(port, name);
      resolve(true);
    });
  });
}

function remember(port: number, name?: Server): void {
  given.set(port, name);
  const [oldest] = given.keys();
  if (given.size <= rememberedMost || oldest === undefined) return;
  given.get(oldest)?.close();
  given.delete(oldest);
}

/** Listens there for a moment. @returns the port; undefined where that is not possible */
function bound(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, loopback(), () => {
      const address = server.address();
      const chosen = typeof address === 'object' ? address?.port : undefined;
      server.close(() => resolve(chosen));
    });
  });
}
