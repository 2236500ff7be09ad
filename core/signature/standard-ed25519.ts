// Signs and verifies by Standard Webhooks 1.0.0 with asymmetric signatures, `v1a`: ed25519 (RFC 8032). The
// receiver holds only the public key, so nobody who breaks into it can sign.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { UserError } from '../base/errors.ts';
import { bytesOf, type SignatureScheme } from './scheme.ts';
import { standardHeaders, standardId, verifyStandard } from './standard.ts';

const privatePrefix = 'whsk_';
const publicPrefix = 'whpk_';
const keyBytes = 32;
const signatureBytes = 64;

/**
 * `whsk_` is followed by the base64 of the private key and the public one, 32 bytes each (the private one
 * alone is accepted too); `whpk_` is followed by the base64 of the public key. It signs the same bytes as
 * `v1`.
 */
export const standardEd25519: SignatureScheme = {
  newSecret: () => secretText(generateKeyPairSync('ed25519').privateKey),
  receiverSecret: (secret) => publicPrefix + publicBytes(standardEd25519.key(secret)).toString('base64'),
  signsWithAll: true,
  key(secret) {
    const kind =
      typeof secret !== 'string'
        ? undefined
        : secret.startsWith(privatePrefix)
          ? 'private'
          : secret.startsWith(publicPrefix)
            ? 'public'
            : undefined;
    const bytes = kind && bytesOf(secret.slice(privatePrefix.length));
    if (kind === 'public' && bytes?.length === keyBytes) return publicKey(bytes);
    if (kind === 'private' && (bytes?.length === keyBytes || bytes?.length === 2 * keyBytes)) {
      const key = privateKey(bytes.subarray(0, keyBytes));
      if (bytes.length === keyBytes || publicBytes(key).equals(bytes.subarray(keyBytes))) return key;
    }
    throw new UserError(
      'bad-secret',
      `an ed25519 key is "${privatePrefix}" and the base64 of the private and the public key, or ` +
        `"${publicPrefix}" and the base64 of the public key alone; this is neither`,
    );
  },
  sign(keys, message) {
    const signed = signedBytes(message.id, String(message.timestampS), message.body);
    return standardHeaders(
      message,
      keys.map((key) => `v1a,${sign(null, signed, key).toString('base64')}`),
    );
  },
  verify(keys, headers, body, options) {
    return verifyStandard(headers, options, 'v1a', (id, timestamp, texts) => {
      const signed = signedBytes(id, timestamp, body);
      const signatures = texts.flatMap((text) => {
        const bytes = Buffer.from(text, 'base64');
        return bytes.length === signatureBytes && bytes.toString('base64') === text ? [bytes] : [];
      });
      // Nothing secret takes part, so nothing is told by when it stops.
      return keys.some((key) => signatures.some((signature) => verify(null, signed, key, signature)));
    });
  },
  idOf: standardId,
};

function signedBytes(id: string, timestamp: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`${id}.${timestamp}.`),
    typeof body === 'string' ? Buffer.from(body) : body,
  ]);
}

function privateKey(seed: Buffer): KeyObject {
  // PKCS#8 of RFC 8410: a fixed head before the seed.
  return createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
}

function publicKey(bytes: Buffer): KeyObject {
  return createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes]),
    format: 'der',
    type: 'spki',
  });
}

function publicBytes(key: KeyObject): Buffer {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ format: 'der', type: 'spki' }).subarray(-keyBytes);
}

function secretText(key: KeyObject): string {
  const seed = key.export({ format: 'der', type: 'pkcs8' }).subarray(-keyBytes);
  return privatePrefix + Buffer.concat([seed, publicBytes(key)]).toString('base64');
}
