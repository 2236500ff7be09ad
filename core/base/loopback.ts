// Finds the loopback address of this machine: 127.0.0.1, or ::1 where there is no IPv4.

import { networkInterfaces } from 'node:os';

export type Loopback = '127.0.0.1' | '::1';

/** As `os.networkInterfaces` lists them: those that are up. */
type Interfaces = Readonly<
  Record<string, readonly { address: string; family: string; internal: boolean }[] | undefined>
>;

/** @returns `none` where no loopback interface is up */
export function loopbackOf(interfaces: Interfaces): Loopback | 'none' {
  const own = Object.values(interfaces)
    .flatMap((all) => all ?? [])
    .filter(({ internal }) => internal);
  if (own.some(({ family }) => family === 'IPv4')) return '127.0.0.1';
  return own.some(({ address }) => address === '::1') ? '::1' : 'none';
}

/** The same of this machine. */
export function readLoopback(): Loopback | 'none' {
  try {
    return loopbackOf(networkInterfaces());
  } catch {
    return '127.0.0.1'; // the system does not say, and nearly all have it
  }
}

let found: Loopback | undefined;

/** Where servers listen and clients connect when nothing else is asked for. Looked up once. */
export function loopback(): Loopback {
  // Without any, the attempt to listen says what is wrong.
  found ??= readLoopback() === '::1' ? '::1' : '127.0.0.1';
  return found;
}

/** An address as it stands in a URL. */
export function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
