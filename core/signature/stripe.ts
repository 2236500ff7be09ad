// Signs and verifies as Stripe does: `Stripe-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 over the time, a
// full stop and the raw body.

import { randomBytes } from 'node:crypto';
import { UserError } from '../base/errors.ts';
import {
  anyEqual,
  header,
  hmac,
  matched,
  maxSignatures,
  requireVerifyOptions,
  signatureFailure,
  textField,
  textKey,
  timestampFailure,
  type SignatureScheme,
} from './scheme.ts';

const name = 'stripe-signature';

/**
 * The key is the whole secret as text, `whsec_` with it, not decoded. Only `v1` counts: Stripe sends a
 * made-up `v0` with test events. As in Stripe's own library a time in the future is accepted. A repetition is
 * recognised by the `id` in the body.
 */
export const stripe: SignatureScheme = {
  newSecret: () => `whsec_${randomBytes(32).toString('hex')}`,
  receiverSecret: (secret) => secret,
  signsWithAll: true,
  key(secret) {
    const known = textKey(secret);
    if (/\s/.test(secret))
      throw new UserError(
        'bad-secret',
        'a secret of this scheme holds no white space; this one does, perhaps from copying it',
      );
    return known;
  },
  sign: (keys, { timestampS, body }) => ({
    [name]: [`t=${timestampS}`, ...keys.map((key) => `v1=${hmac(key, `${timestampS}.`, body, 'hex')}`)].join(
      ',',
    ),
  }),
  verify(keys, headers, body, options = {}) {
    requireVerifyOptions(options);
    const given = header(headers, name);
    if ('failure' in given) return given.failure;
    const parts = given.value
      .split(',')
      .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const);
    const values = (of: string) => parts.flatMap(([key, value]) => (key === of ? [value] : []));
    const [timestamp, ...more] = values('t');
    if (timestamp === undefined || more.length > 0 || parts.length > maxSignatures)
      return signatureFailure({ reason: 'malformed-signature', header: name });
    const signatures = values('v1');
    if (signatures.length === 0) return signatureFailure({ reason: 'unsupported-signature', header: name });
    const untimely = timestampFailure(timestamp, name, options, 'past');
    if (untimely) return untimely;
    return anyEqual(
      keys.map((key) => hmac(key, `${timestamp}.`, body, 'hex')),
      signatures,
    )
      ? matched
      : signatureFailure({ reason: 'no-match' });
  },
  idOf: (_headers, body) => textField(body, ['id']),
};
