// Signs and verifies as Slack does: `X-Slack-Signature: v0=HEX`, HMAC-SHA256 over `v0:`, the time of
// `X-Slack-Request-Timestamp`, a colon and the raw body.

import { randomBytes } from 'node:crypto';
import {
  anyEqual,
  header,
  hmac,
  matched,
  requireVerifyOptions,
  signatureFailure,
  textField,
  textKey,
  timestampFailure,
  type SignatureScheme,
} from './scheme.ts';

const signatureName = 'x-slack-signature';
const timestampName = 'x-slack-request-timestamp';

/**
 * There is room for one signature, so a rotation's overlap is the receiver's: it accepts both secrets. A
 * repetition is recognised by the body's `event_id`, or its `id` where it is an event of this project.
 */
export const slack: SignatureScheme = {
  newSecret: () => randomBytes(16).toString('hex'),
  receiverSecret: (secret) => secret,
  signsWithAll: false,
  key: (secret) => textKey(secret),
  sign: (keys, { timestampS, body }) => ({
    [timestampName]: String(timestampS),
    ...(keys[0] ? { [signatureName]: digest(String(timestampS), body)(keys[0]) } : {}),
  }),
  verify(keys, headers, body, options = {}) {
    requireVerifyOptions(options);
    const timestamp = header(headers, timestampName);
    if ('failure' in timestamp) return timestamp.failure;
    const given = header(headers, signatureName);
    if ('failure' in given) return given.failure;
    const untimely = timestampFailure(timestamp.value, timestampName, options, 'both');
    if (untimely) return untimely;
    if (!given.value.startsWith('v0='))
      return signatureFailure({
        reason: given.value.includes('=') ? 'unsupported-signature' : 'malformed-signature',
        header: signatureName,
      });
    return anyEqual(keys.map(digest(timestamp.value, body)), [given.value])
      ? matched
      : signatureFailure({ reason: 'no-match' });
  },
  idOf: (_headers, body) => textField(body, ['event_id', 'id']),
};

const digest = (timestamp: string, body: string | Uint8Array) => (key: Parameters<typeof hmac>[0]) =>
  `v0=${hmac(key, `v0:${timestamp}:`, body, 'hex')}`;
