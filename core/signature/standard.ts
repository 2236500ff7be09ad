// Signs and verifies by Standard Webhooks 1.0.0 with symmetric signatures, `v1`: HMAC-SHA256 in base64.
// What the asymmetric kind (standard-ed25519.ts) shares with it is here.

import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { kindOf } from '../base/checked-options.ts';
import { UserError } from '../base/errors.ts';
import {
  anyEqual,
  bytesOf,
  header,
  hmac,
  matched,
  maxSignatures,
  requireVerifyOptions,
  signatureFailure,
  timestampFailure,
  type Headers,
  type SignatureScheme,
  type SignedMessage,
  type Verification,
  type VerifyOptions,
} from './scheme.ts';

const prefix = 'whsec_';
const minKeyBytes = 24;
const maxKeyBytes = 64;

/**
 * Signed are the id, a full stop, the timestamp, a full stop and the raw body; the key is the secret behind
 * `whsec_`, base64-decoded (the prefix may be missing, and the padding too).
 */
export const standardWebhooks: SignatureScheme = {
  newSecret: () => prefix + randomBytes(32).toString('base64'),
  receiverSecret: (secret) => secret,
  signsWithAll: true,
  key(secret) {
    if (typeof secret !== 'string')
      throw new UserError(
        'bad-secret',
        `a webhook secret is a text that begins with "${prefix}"; this one is ${kindOf(secret)}`,
      );
    const bytes = bytesOf(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret);
    if (!bytes || bytes.length < minKeyBytes || bytes.length > maxKeyBytes) {
      const found = bytes ? `holds ${bytes.length}` : 'is not base64';
      throw new UserError(
        'bad-secret',
        `a webhook secret is "${prefix}" and the base64 of ${minKeyBytes} to ${maxKeyBytes} random ` +
          `bytes; this one ${found}`,
      );
    }
    return createSecretKey(bytes);
  },
  sign: (keys, message) =>
    standardHeaders(
      message,
      keys.map((key) => `v1,${digest(key, message.id, String(message.timestampS), message.body)}`),
    ),
  verify: (keys, headers, body, options) =>
    verifyStandard(headers, options, 'v1', (id, timestamp, signatures) =>
      anyEqual(
        keys.map((key) => digest(key, id, timestamp, body)),
        signatures,
      ),
    ),
  idOf: standardId,
};

function digest(key: KeyObject, id: string, timestamp: string, body: string | Uint8Array): string {
  return hmac(key, `${id}.${timestamp}.`, body, 'base64');
}

const parts = ['id', 'timestamp', 'signature'] as const;

/** What the three headers are called: as the standard has them, and as Svix does, which signs alike. */
const namings = ['webhook-', 'svix-'].map(
  (prefix) =>
    ({ id: `${prefix}id`, timestamp: `${prefix}timestamp`, signature: `${prefix}signature` }) as const,
);

/**
 * The names that a request uses: a complete set, otherwise one of which some came, otherwise the standard's.
 */
export function standardNames(headers: Headers): Readonly<Record<(typeof parts)[number], string>> {
  const came = (names: (typeof namings)[number]) =>
    parts.filter((part) => headers[names[part]] !== undefined);
  return (
    namings.find((names) => came(names).length === parts.length) ??
    namings.find((names) => came(names).length > 0) ??
    namings[0]!
  );
}

/** @param signatures each with its version: `v1,...` */
export function standardHeaders(
  { id, timestampS }: SignedMessage,
  signatures: readonly string[],
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatures.join(' '),
  };
}

/** @param isSigned is given the signatures of the version wanted, without their version */
export function verifyStandard(
  headers: Headers,
  options: VerifyOptions = {},
  version: 'v1' | 'v1a',
  isSigned: (id: string, timestamp: string, signatures: readonly string[]) => boolean,
): Verification {
  requireVerifyOptions(options);
  const names = standardNames(headers);
  const id = header(headers, names.id);
  if ('failure' in id) return id.failure;
  const timestamp = header(headers, names.timestamp);
  if ('failure' in timestamp) return timestamp.failure;
  const list = header(headers, names.signature);
  if ('failure' in list) return list.failure;
  const untimely = timestampFailure(timestamp.value, names.timestamp, options, 'both');
  if (untimely) return untimely;

  const entries = list.value.split(' ');
  if (entries.length > maxSignatures)
    return signatureFailure({ reason: 'malformed-signature', header: names.signature });
  const signatures = entries.flatMap((entry) =>
    entry.startsWith(`${version},`) ? [entry.slice(version.length + 1)] : [],
  );
  if (signatures.length === 0) {
    const written = entries.some((entry) => /^\w+,./.test(entry));
    return signatureFailure({
      reason: written ? 'unsupported-signature' : 'malformed-signature',
      header: names.signature,
    });
  }
  return isSigned(id.value, timestamp.value, signatures) ? matched : signatureFailure({ reason: 'no-match' });
}

export function standardId(headers: Headers): string | undefined {
  const id = headers[standardNames(headers).id];
  return typeof id === 'string' ? id : undefined;
}
