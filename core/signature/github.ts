// Signs and verifies as GitHub does: `X-Hub-Signature-256: sha256=HEX`, HMAC-SHA256 over the raw body
// alone.

import { randomBytes } from 'node:crypto';
import {
  anyEqual,
  header,
  hmac,
  matched,
  requireVerifyOptions,
  signatureFailure,
  textKey,
  type SignatureScheme,
} from './scheme.ts';

const name = 'x-hub-signature-256';
const digestPattern = /^sha256=/;

/**
 * No time is signed, so an old request is as good as a new one: only who remembers the delivery's id notices.
 * The id (`X-GitHub-Delivery`) is not signed either. The older `X-Hub-Signature` (SHA-1) does not count.
 * There is room for one signature, so a rotation's overlap is the receiver's: it accepts both secrets.
 */
export const github: SignatureScheme = {
  newSecret: () => randomBytes(32).toString('hex'),
  receiverSecret: (secret) => secret,
  signsWithAll: false,
  key: (secret) => textKey(secret),
  sign: (keys, { id, topic, body }) => ({
    ...(keys[0] ? { [name]: `sha256=${hmac(keys[0], '', body, 'hex')}` } : {}),
    'x-github-delivery': id,
    ...(topic === undefined ? {} : { 'x-github-event': topic }),
  }),
  verify(keys, headers, body, options = {}) {
    requireVerifyOptions(options);
    const given = header(headers, name);
    if ('failure' in given) return given.failure;
    if (!digestPattern.test(given.value))
      return signatureFailure({
        reason: given.value.includes('=') ? 'unsupported-signature' : 'malformed-signature',
        header: name,
      });
    return anyEqual(
      keys.map((key) => `sha256=${hmac(key, '', body, 'hex')}`),
      [given.value],
    )
      ? matched
      : signatureFailure({ reason: 'no-match' });
  },
  idOf(headers) {
    const id = headers['x-github-delivery'];
    return typeof id === 'string' ? id : undefined;
  },
};
