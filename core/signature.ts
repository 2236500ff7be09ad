// Signatures of webhook requests: Standard Webhooks 1.0.0, scheme v1 (HMAC-SHA256). Pure computation; who sends,
// who receives and what happens to a bad signature is theirs to say. Another scheme is another value of the type
// `SignatureScheme`, in a file beside this one.

import { createHmac, createSecretKey, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto';
import { UserError } from './errors.ts';

/** What a signature vouches for. */
export type SignedMessage = {
  /** The event's id, the same on every attempt: what a receiver recognises a repetition by. Without a full stop. */
  id: string;
  /** Seconds since 1970 at which this attempt was made. */
  timestampS: number;
  /** The body as it stands on the wire. Parsing and printing it again breaks the signature. */
  body: string | Uint8Array;
};

/** Names in lower case, as Node gives the headers of a request. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export type Verification = { ok: true } | { ok: false; reason: SignatureFault; message: string };
export type SignatureFault = 'missing-header' | 'bad-timestamp' | 'too-old' | 'too-new' | 'no-match';

export type VerifyOptions = {
  /** Seconds since 1970; the wall clock when left out. */
  nowS?: number;
  /** How far the sender's timestamp may lie before or after `nowS`. */
  toleranceS?: number;
};

export type SignatureScheme = {
  /**
   * Reads a secret as people pass it about.
   * @throws UserError when it is not one; the message does not repeat it
   */
  key(secret: string): KeyObject;
  /** The headers that sign one attempt, one signature for each key: during a rotation, the new secret and the old one. */
  sign(keys: readonly KeyObject[], message: SignedMessage): Record<string, string>;
  /** Whether one of the keys signed the body, lately. Takes as long for a signature that is wrong in its first byte as in its last. */
  verify(keys: readonly KeyObject[], headers: Headers, body: string | Uint8Array, options?: VerifyOptions): Verification;
};

const prefix = 'whsec_';
const minKeyBytes = 24;
const maxKeyBytes = 64;
/** The specification leaves it open; its libraries take five minutes, both ways. */
const defaultToleranceS = 5 * 60;

/** A new secret of 32 random bytes for an endpoint of its own. */
export function newSecret(): string {
  return prefix + randomBytes(32).toString('base64');
}

/**
 * Standard Webhooks 1.0.0 with symmetric signatures.
 * Signed are the id, a full stop, the timestamp, a full stop and the raw body; the key is the secret behind `whsec_`,
 * base64-decoded (the prefix may be missing, and the padding too).
 */
export const standardWebhooks: SignatureScheme = {
  key(secret) {
    const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
    const bytes = Buffer.from(text, 'base64');
    // Buffer skips over what is not base64; only a text that comes out as it went in was base64 throughout.
    const isBase64 = withoutPadding(bytes.toString('base64')) === withoutPadding(text);
    if (!isBase64 || bytes.length < minKeyBytes || bytes.length > maxKeyBytes) {
      const found = isBase64 ? `holds ${bytes.length}` : 'is not base64';
      throw new UserError('bad-secret', `a webhook secret is "${prefix}" and the base64 of ${minKeyBytes} to ${maxKeyBytes} random bytes; this one ${found}`);
    }
    return createSecretKey(bytes);
  },

  sign(keys, { id, timestampS, body }) {
    return {
      'webhook-id': id,
      'webhook-timestamp': String(timestampS),
      'webhook-signature': keys.map((key) => `v1,${digest(key, id, String(timestampS), body)}`).join(' '),
    };
  },

  verify(keys, headers, body, { nowS = Math.floor(Date.now() / 1000), toleranceS = defaultToleranceS } = {}) {
    const id = single(headers['webhook-id']);
    const timestamp = single(headers['webhook-timestamp']);
    const signatures = single(headers['webhook-signature']);
    if (!id || !timestamp || !signatures) {
      return fault('missing-header', 'the request must carry webhook-id, webhook-timestamp and webhook-signature, each once');
    }
    if (!/^\d{1,12}$/.test(timestamp)) return fault('bad-timestamp', 'webhook-timestamp must be whole seconds since 1970');
    const ageS = nowS - Number(timestamp);
    if (ageS > toleranceS) return fault('too-old', `signed ${ageS} s ago; more than ${toleranceS} s is not accepted`);
    if (-ageS > toleranceS) return fault('too-new', `signed ${-ageS} s ahead of this clock; more than ${toleranceS} s is not accepted`);

    // Only v1 entries count: a scheme that is not known must not be a way round the one that is.
    const candidates = signatures.split(' ').flatMap((entry) => (entry.startsWith('v1,') ? [Buffer.from(entry.slice(3))] : []));
    // Text is compared, not what it decodes to: several base64 texts decode to the same bytes.
    const expected = keys.map((key) => Buffer.from(digest(key, id, timestamp, body)));
    const matches = expected.some((right) =>
      candidates.some((given) => given.length === right.length && timingSafeEqual(given, right)));
    return matches ? { ok: true } : fault('no-match', 'no v1 signature of the request is one of this secret for this id, timestamp and body');
  },
};

function digest(key: KeyObject, id: string, timestamp: string, body: string | Uint8Array): string {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
}

function withoutPadding(base64: string): string {
  return base64.replace(/={1,2}$/, '');
}

function single(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

function fault(reason: SignatureFault, message: string): Verification {
  return { ok: false, reason, message };
}
