// Holds the code that serving commands share: reading the port asked for, naming the port taken, ending at a
// signal.

import { exitCodes, UserError } from '../core/base/errors.ts';
import { loopback } from '../core/base/loopback.ts';
import { limitMs, takeSignals } from './signals.ts';

/** @throws UserError when the text is not a port */
export function checkedPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UserError(
    'port',
    `--port ${text} is not a port: give a number from 1 to 65535, or 0 for any free one.`,
  );
}

/** Says of a port that is taken what to do; throws anything else on. */
export function portTaken(error: unknown, port: number): never {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    throw new UserError(
      'port-taken',
      `Port ${port} on ${loopback()} is taken. Choose another with --port, or --port 0 for any free one.`,
      exitCodes.failed,
    );
  }
  throw error;
}

/** @throws UserError when the address or the port cannot be used; any other error as it is */
export function notListening(error: unknown, host: string, port: number): never {
  if (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
  ) {
    throw new UserError(
      'host',
      `--host ${host} is not an address of this machine: give 127.0.0.1, ::1, ` +
        '0.0.0.0 for all, or one that "ip address" shows.',
    );
  }
  return portTaken(error, port);
}

/**
 * Resolves at the first signal, for servers.
 * @param closeLimitMs how long closing may take from then on; a second signal ends it at once
 */
export function untilSignal(closeLimitMs = limitMs): Promise<void> {
  return new Promise((resolve) => {
    let told = false;
    takeSignals(() => {
      if (told) process.exit(exitCodes.interrupted);
      told = true;
      // Exit code 0: a server that is told to end has done its work.
      setTimeout(() => process.exit(), closeLimitMs).unref();
      resolve();
    });
  });
}
