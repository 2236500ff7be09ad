// Signs a delivery as its sender would, so that the tests of a receiver need no sender.

import { randomUUID } from 'node:crypto';
import { requireNames, requireNumber, kindOf } from '../core/base/checked-options.ts';
import { latestS } from '../core/signature/scheme.ts';
import { schemes, type SchemeName } from '../core/signature/schemes.ts';
import { requireScheme } from './options.ts';

export type SignOptions = {
  scheme: SchemeName;
  /** The receiver's secret; for `standard-ed25519` the private key, `whsk_...`. */
  secret: string;
  /** The body, which must be sent unchanged. */
  body: string | Uint8Array;
  /**
   * The id by which a repetition is recognised, if the scheme has it in a header; a new one when left out.
   */
  id?: string;
  /** GitHub's `x-github-event`. */
  topic?: string;
  /** Seconds since 1970; now when left out. */
  timestampS?: number;
};

/**
 * The headers that sign a body.
 * @throws UserError when the secret does not fit the scheme; TypeError or RangeError for the other options
 */
export function sign(options: SignOptions): Record<string, string> {
  requireNames('sign', options, ['scheme', 'secret', 'body', 'id', 'topic', 'timestampS']);
  const { scheme, secret, body, id = randomUUID(), topic } = options;
  const { timestampS = Math.floor(Date.now() / 1000) } = options;
  requireScheme(scheme);
  requireNumber('timestampS', timestampS, { least: 0, most: latestS, whole: true });
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    throw new TypeError(`body must be the text or the bytes to be sent; it is ${kindOf(body)}`);
  return schemes[scheme].sign([schemes[scheme].key(secret)], {
    id,
    timestampS,
    body,
    ...(topic !== undefined && { topic }),
  });
}
