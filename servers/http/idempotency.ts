// Makes publishing repeatable: with an `Idempotency-Key` a publisher that got no answer can send the event
// again, and it counts as the same event (draft-ietf-httpapi-idempotency-key-header-07).

import { createHash } from 'node:crypto';
import type { Publish } from '../pattern.ts';
import { RequestError } from './request.ts';

/** Keys that a server remembers in memory, the newest. */
export const keysRemembered = 10_000;
/** How long a store keeps them. */
export const keyStaysMs = 86_400_000;
const keyMost = 255;

/** A string of structured fields (RFC 9651, section 3.3.3), or the bare key, as many clients send it. */
const quoted = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/;
const bare = /^[\w!#$%&'*+\-.^`|~:/=]+$/;

/**
 * The key that the header's value names; undefined without the header.
 * @throws RequestError 400 when it is not a key
 */
export function idempotencyKeyOf(value: string | string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const key = quoted.exec(text)?.[1]?.replace(/\\(.)/g, '$1') ?? (bare.test(text) ? text : '');
  if (key === '' || key.length > keyMost) {
    const example = '"8e03978e-40d5-43dd-bc93-6894a57f9324"';
    throw new RequestError(
      400,
      'bad-idempotency-key',
      `Idempotency-Key is 1 to ${keyMost} visible characters, best in double quotes: ${example}`,
    );
  }
  return key;
}

/** What a key stands for: a repeat has the same. */
export function fingerprintOf(topic: string, body: string): string {
  return createHash('sha256').update(topic).update('\n').update(body).digest('base64url');
}

export function keyReused(key: string): RequestError {
  const advice = 'a repeat has the same topic and body, and another event has a key of its own';
  return new RequestError(
    422,
    'idempotency-key-reused',
    `the Idempotency-Key "${key}" stands for another event; ${advice}`,
  );
}

/**
 * Publishing that remembers keys: a repeat gets the answer of the first, and waits for it when it is still
 * under way. What failed is forgotten, so that the repeat tries again.
 * @returns rejects with RequestError 422 when the key stands for another event
 */
export function withKeys(publish: Publish, remembered = keysRemembered): Publish {
  type Entry = { fingerprint: string; answer: ReturnType<Publish> };
  /** Not more than there are requests; a repeat of one of them must find it, however many come behind it. */
  const underWay = new Map<string, Entry>();
  const published = new Map<string, Entry>();
  return (topic, body, stamps, options) => {
    const key = options?.key;
    if (key === undefined) return publish(topic, body, stamps);
    const fingerprint = fingerprintOf(topic, body);
    const before = underWay.get(key) ?? published.get(key);
    if (before) return before.fingerprint === fingerprint ? before.answer : Promise.reject(keyReused(key));
    const answer = publish(topic, body, stamps, { key });
    const entry = { fingerprint, answer };
    underWay.set(key, entry);
    const remember = (): void => {
      underWay.delete(key);
      published.set(key, entry);
      // The oldest; there is one.
      if (published.size > remembered) published.delete(published.keys().next().value!);
    };
    answer.then(remember, () => underWay.delete(key));
    return answer;
  };
}
