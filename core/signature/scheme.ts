// Defines a signature scheme of webhooks, and does what all of them share: find headers, judge a timestamp,
// compare in constant time. Pure computation. Each other file in this folder is one scheme.

import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { kindOf, requireNames, requireNumber } from '../base/checked-options.ts';
import { UserError } from '../base/errors.ts';

/** What a signature vouches for. */
export type SignedMessage = {
  /**
   * The event's id, the same on every attempt: what a receiver recognises a repetition
   * by. Without a full stop.
   */
  id: string;
  /** What the event is about, for the scheme that says it in a header. It is not signed. */
  topic?: string;
  /** Seconds since 1970 at which this attempt was made. */
  timestampS: number;
  /** The body as it stands on the wire. Parsing and printing it again breaks the signature. */
  body: string | Uint8Array;
};

/** Names in lower case, as Node gives the headers of a request. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Why a request is not believed: a reason for programs, with what it takes to act upon it. */
export type SignatureFailure =
  | { reason: 'missing-header'; header: string }
  | { reason: 'repeated-header'; header: string }
  | { reason: 'bad-timestamp'; header: string }
  | { reason: 'too-old'; ageS: number; toleranceS: number }
  | { reason: 'too-new'; aheadS: number; toleranceS: number }
  /** The header is not written as the scheme has it. */
  | { reason: 'malformed-signature'; header: string }
  /**
   * Well written, but with no signature of a kind that is accepted: an older scheme is no
   * way round the one in use.
   */
  | { reason: 'unsupported-signature'; header: string }
  | { reason: 'no-match' };

/** `message` is a sentence for people; like everything here it holds no secret and no signature. */
export type Verification = { ok: true } | (SignatureFailure & { ok: false; message: string });

export type VerifyOptions = {
  /** Seconds since 1970; the wall clock when left out. */
  nowS?: number;
  /** How far the sender's timestamp may lie from `nowS`; five minutes when left out. */
  toleranceS?: number;
};

export type SignatureScheme = {
  /** A new secret for an endpoint of its own, from 32 random bytes. */
  newSecret(): string;
  /**
   * Reads a secret as people pass it about.
   * @throws UserError when it is not one; the message does not repeat it
   */
  key(secret: string): KeyObject;
  /**
   * What the receiver is told of a secret: the secret itself, or where the scheme has
   * key pairs the public half.
   */
  receiverSecret(secret: string): string;
  /**
   * Whether `sign` makes a signature for each key, so that during a rotation both secrets are good. Otherwise
   * it signs with the first.
   */
  signsWithAll: boolean;
  /** The headers that sign one attempt. Give the newest key first. */
  sign(keys: readonly KeyObject[], message: SignedMessage): Record<string, string>;
  /**
   * Whether one of the keys signed the body, lately. Takes as long for a signature that is wrong in its
   * first byte as in its last.
   * @throws TypeError or RangeError for options that would limit nothing, such as NaN, whatever the request
   */
  verify(
    keys: readonly KeyObject[],
    headers: Headers,
    body: string | Uint8Array,
    options?: VerifyOptions,
  ): Verification;
  /**
   * What a repetition of a verified delivery is recognised by. Where the scheme has no header for
   * it, it stands in the body.
   * @returns undefined when the delivery names none
   */
  idOf(headers: Headers, body: string | Uint8Array): string | undefined;
};

/** The tolerance that all of them advise. */
export const defaultToleranceS = 5 * 60;

/** Signatures of one request that are looked at; more are not a rotation but an attack. */
export const maxSignatures = 16;

const maxTextSecretLength = 512;

/**
 * The key of a scheme whose secret is its own text, not an encoding of bytes.
 * @throws UserError when it is empty or endless
 */
export function textKey(secret: string, maxLength = maxTextSecretLength): KeyObject {
  // `Buffer.from` makes bytes of lists and objects too: zeros, which anybody could sign with.
  if (typeof secret !== 'string')
    throw new UserError('bad-secret', `a webhook secret of this scheme is a text; this is ${kindOf(secret)}`);
  if (secret === '' || secret.length > maxLength) {
    throw new UserError(
      'bad-secret',
      `a webhook secret of this scheme is a text of 1 to ${maxLength} ` +
        `characters; this one has ${secret.length}`,
    );
  }
  return createSecretKey(Buffer.from(secret));
}

/**
 * The bytes of a base64 text, padded or not; undefined for any other text. `Buffer.from` alone skips over
 * characters that are not base64.
 */
export function bytesOf(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return withoutPadding(bytes.toString('base64')) === withoutPadding(base64) ? bytes : undefined;
}

function withoutPadding(base64: string): string {
  return base64.replace(/={1,2}$/, '');
}

/** HMAC-SHA256 of `prefix` and the body, one after the other. */
export function hmac(
  key: KeyObject,
  prefix: string,
  body: string | Uint8Array,
  encoding: 'hex' | 'base64',
): string {
  return createHmac('sha256', key).update(prefix).update(body).digest(encoding);
}

/**
 * Whether one of the given texts equals one of the expected texts. The time it takes depends on their number
 * and length alone. Texts are compared, not decoded bytes: several base64 texts decode to the same bytes.
 */
export function anyEqual(expected: readonly string[], given: readonly string[]): boolean {
  const candidates = given.map((text) => Buffer.from(text));
  let found = false;
  for (const text of expected) {
    const right = Buffer.from(text);
    for (const candidate of candidates) {
      if (candidate.length === right.length && timingSafeEqual(candidate, right)) found = true;
    }
  }
  return found;
}

export const matched: Verification = { ok: true };

/** The verification of a request that is not believed, with its sentence. */
export function signatureFailure(why: SignatureFailure): Verification {
  return { ok: false, message: sentence(why), ...why };
}

function sentence(why: SignatureFailure): string {
  switch (why.reason) {
    case 'missing-header':
      return `the request carries no ${why.header}`;
    case 'repeated-header':
      return `the request carries ${why.header} more than once`;
    case 'bad-timestamp':
      return `the time in ${why.header} must be whole seconds since 1970`;
    case 'too-old':
      return `signed ${why.ageS} s ago; more than ${why.toleranceS} s is not accepted`;
    case 'too-new':
      return `signed ${why.aheadS} s ahead of this clock; more than ${why.toleranceS} s is not accepted`;
    case 'malformed-signature':
      return `${why.header} does not have the form of its scheme`;
    case 'unsupported-signature':
      return `${why.header} holds no signature of a kind that is accepted here`;
    case 'no-match':
      return (
        'no signature of the request fits this secret and the request; was the body changed on its ' +
        'way, or parsed and printed again?'
      );
  }
}

/** The one value of a header, or the failure. */
export function header(headers: Headers, name: string): { value: string } | { failure: Verification } {
  const value = headers[name];
  if (typeof value === 'string' && value !== '') return { value };
  const repeated = typeof value === 'object' && value.length > 1;
  return {
    failure: signatureFailure({ reason: repeated ? 'repeated-header' : 'missing-header', header: name }),
  };
}

/** A year: no sender tries for as long. */
export const longestToleranceS = 366 * 86_400;
/** As far as the digits of a timestamp reach. */
export const latestS = 1e12;

/**
 * Checks the options of `verify`, before anything of the request is looked at.
 * @throws TypeError or RangeError
 */
export function requireVerifyOptions(options: VerifyOptions): void {
  requireNames('verify', options, ['nowS', 'toleranceS']);
  if (options.nowS !== undefined) requireNumber('nowS', options.nowS, { least: 0, most: latestS });
  if (options.toleranceS !== undefined)
    requireNumber('toleranceS', options.toleranceS, { least: 0, most: longestToleranceS });
}

/**
 * Whether a timestamp lies within the tolerance.
 * @param options checked by `requireVerifyOptions`
 * @param direction `past`: a time in the future is accepted, as the scheme's own library does
 * @returns the failure, or undefined
 */
export function timestampFailure(
  timestamp: string,
  name: string,
  { nowS = Math.floor(Date.now() / 1000), toleranceS = defaultToleranceS }: VerifyOptions,
  direction: 'both' | 'past',
): Verification | undefined {
  if (!/^\d{1,12}$/.test(timestamp)) return signatureFailure({ reason: 'bad-timestamp', header: name });
  const ageS = nowS - Number(timestamp);
  if (ageS > toleranceS) return signatureFailure({ reason: 'too-old', ageS, toleranceS });
  if (direction === 'both' && -ageS > toleranceS)
    return signatureFailure({ reason: 'too-new', aheadS: -ageS, toleranceS });
  return undefined;
}

/** A text field of a JSON object, undefined when the body is none or has none. */
export function textField(body: string | Uint8Array, names: readonly string[]): string | undefined {
  try {
    const parsed: unknown = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    return Object.entries(parsed).find(
      ([name, value]) => names.includes(name) && typeof value === 'string' && value !== '',
    )?.[1] as string | undefined; // found as a string
  } catch {
    return undefined;
  }
}
