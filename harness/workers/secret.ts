// Derives from a token what the two ends of a run need: the name that their queues lie under in Redis, and
// the keys that every message is signed with. The token itself is never sent and never stored.

import { createHmac, scryptSync, timingSafeEqual } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { UserError } from '../../core/base/errors.ts';

/** Shorter ones can be tried one after the other. */
const leastLength = 12;

export type Secret = {
  /** What all keys of Redis begin with; a worker with another token looks elsewhere. */
  prefix: string;
  key: Buffer;
};

/** Messages in a queue of Redis. @property n counts from 0 in each direction */
export type Sealed = { n: number; body: string; mac: string };

/** Takes a tenth of a second, so that tokens cannot be tried fast. @throws UserError `token` */
export function secretOf(token: string): Secret {
  if (token.length < leastLength)
    throw new UserError(
      'token',
      `the token has ${token.length} characters, and it takes ${leastLength} or more: ` +
        'make one with "openssl rand -hex 16", and give the same to the run and to its workers.',
    );
  const derived = scryptSync(token, 'pushbench load workers', 48);
  return {
    prefix: `pushbench-load-${derived.subarray(0, 16).toString('hex')}`,
    key: derived.subarray(16),
  };
}

/** A key for one purpose alone. */
export function keyFor(key: Buffer, ...purpose: readonly string[]): Buffer {
  return createHmac('sha256', key).update(purpose.join('\0')).digest();
}

/** Signs messages. They may hold typed arrays. */
export function seal(key: Buffer, n: number, messages: readonly unknown[]): Sealed {
  const body = serialize(messages).toString('base64');
  return { n, body, mac: macOf(key, n, body) };
}

/** @returns undefined when they were not signed with this key; nothing of them has been read then */
export function unseal(key: Buffer, { n, body, mac }: Sealed): unknown[] | undefined {
  const [given, right] = [Buffer.from(mac, 'utf8'), Buffer.from(macOf(key, n, body), 'utf8')];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const messages: unknown = deserialize(Buffer.from(body, 'base64'));
  return Array.isArray(messages) ? messages : undefined;
}

function macOf(key: Buffer, n: number, body: string): string {
  return createHmac('sha256', key).update(`${n}\0${body}`).digest('base64url');
}
