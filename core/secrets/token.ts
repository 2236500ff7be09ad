// Makes and checks the tokens that clients of a server with `auth` bring: a name and its HMAC. They are
// bearer tokens (RFC 6750) in the shape of a signed session cookie. The key follows from the run's seed,
// which stands in every result, so they keep out nobody who has a result.

import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

export type Tokens = {
  /** The token of a client. @param name 1 to 64 of A-Z a-z 0-9 _ - */
  of(name: string): string;
  /** Whose token it is; undefined when it is none of ours. The signature is compared in constant time. */
  check(token: string): string | undefined;
};

/** A SHA-256 in base64url, without padding. */
const signatureLength = 43;
const tokenPattern = /^([\w-]{1,64})\.([\w-]{43})$/;

export function createTokens(seed: number): Tokens {
  const key = createSecretKey(`pushbench tokens of seed ${seed}`, 'utf8');
  const sign = (name: string) => createHmac('sha256', key).update(name).digest('base64url');
  return {
    of: (name) => `${name}.${sign(name)}`,
    check(token) {
      const [, name, signature] = tokenPattern.exec(token) ?? [];
      if (name === undefined || signature === undefined) return undefined;
      const [given, right] = [Buffer.from(signature, 'latin1'), Buffer.from(sign(name), 'latin1')];
      return given.length === signatureLength && timingSafeEqual(given, right) ? name : undefined;
    },
  };
}

/** What a subscriber calls itself. */
export function subscriberName(subscriber: number): string {
  return `subscriber-${subscriber}`;
}
