// Makes names of epochs: for a new log, and for a stream from what identifies it.

import { createHash, randomInt } from 'node:crypto';

const length = 6;

export function newEpoch(): string {
  return Array.from({ length }, () => randomInt(36).toString(36)).join('');
}

/** The same on every server for the same text. */
export function epochOf(text: string): string {
  const number = createHash('sha256').update(text).digest().readBigUInt64BE();
  return number.toString(36).padStart(length, '0').slice(-length);
}
