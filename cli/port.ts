// What commands that serve have in common: the port as it was given, the port that is taken, the end by a signal.

import { exitCodes, UserError } from '../core/errors.ts';

/** @throws UserError when the text is no port */
export function checkedPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UserError('port', `--port ${text} is not a port: give a number from 1 to 65535, or 0 for any free one.`);
}

/** Says of a port that is taken what to do; throws anything else on. */
export function portTaken(error: unknown, port: number): never {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    throw new UserError('port-taken', `Port ${port} on 127.0.0.1 is taken. Choose another with --port, or --port 0 for any free one.`, exitCodes.failed);
  }
  throw error;
}

/** Resolves at Ctrl-C or when the process is asked to end. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
