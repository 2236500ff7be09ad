// Decides which answers get gzip as a content coding (RFC 9110, section 8.4.1.3) and compresses whole
// answers. Bodies without end are compressed in streams/gzip-bodies.ts; request bodies and WebSocket
// messages are not.

import { gzipSync } from 'node:zlib';
import type { Request } from '../pattern.ts';

/** Whether the client takes gzip (RFC 9110, section 12.5.3). */
export function acceptsGzip({ headers }: Request): boolean {
  const offers = String(headers['accept-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((offer) => offer.split(';').map((part) => part.trim()));
  const offer = offers.find(([name]) => name === 'gzip') ?? offers.find(([name]) => name === '*');
  return offer !== undefined && !/^q=0(\.0*)?$/.test(offer[1] ?? '');
}

/**
 * Compresses answers. Equal answers in a row, such as those to all requests that waited for the same event,
 * are compressed once.
 */
export function createGzip(): (text: string) => Buffer {
  return keepLast(gzipSync);
}

/** Keeps the last result: the same text twice in a row is converted only once. */
export function keepLast<T>(make: (text: string) => T): (text: string) => T {
  let last: { text: string; made: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, made: make(text) };
    return last.made;
  };
}
