// Decides which loopback address a connection comes from, so that no address gets near the end of its ports.

/**
 * Connections from 127.0.0.1. They are not bound to it before they connect, so that a port may serve several
 * servers. Linux has 28,232 ports by default and tries every second of them first.
 */
export const connectionsFromUsual = 10_000;

/**
 * Connections from each other address, which is bound before it connects. Linux then tries every second port
 * of one half of the range first, 7,058 by default. A connect takes 3 to 10 us as long as one of those is
 * free, and 450 to 1,600 us beyond, which from outside looks like a server that does not answer. Ports in
 * TIME_WAIT count too: of subscribers that move from server to server there are as many again.
 */
export const connectionsPerAddress = 2500;

/** On systems with one loopback address all come from it, slowly beyond half of its ports. */
export const mostFromOneAddress = 25_000;

/** Addresses of one trial: `127.0.0.0/8` has enough for each trial to have its own. */
export type SourceAddresses = {
  /** The first, as a number within 127.0.0.0/8: 65,536 is 127.1.0.0. */
  first: number;
  /** Subscribers that connect from each. */
  each: number;
};

/** Below are the addresses that people and programs use. */
const leastFirst = 1 << 16;
const networkSize = 1 << 24;

/**
 * Addresses that no earlier trial of this machine has used in the last minute, as good as certainly: their
 * place is drawn from 16 million. So no port of theirs is in TIME_WAIT.
 * @param connectionsEach that a subscriber holds
 * @param draw an integer from the first up to, not including, the second
 * @returns undefined where all fit on 127.0.0.1
 */
export function freshAddresses(
  subscribers: number,
  connectionsEach: number,
  draw: (from: number, to: number) => number,
): SourceAddresses | undefined {
  if (subscribers * connectionsEach <= connectionsFromUsual) return undefined;
  const each = Math.max(1, Math.floor(connectionsPerAddress / connectionsEach));
  const count = Math.ceil(subscribers / each);
  return { first: draw(leastFirst, networkSize - 1 - count), each };
}

/** @param subscriber counted over all load processes. @param addresses 127.0.0.1 when left out */
export function sourceAddress(subscriber: number, addresses?: SourceAddresses): string {
  if (!addresses) return '127.0.0.1';
  const place = addresses.first + Math.floor(subscriber / addresses.each);
  return `127.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`;
}
