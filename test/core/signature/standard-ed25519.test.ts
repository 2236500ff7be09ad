// Standard Webhooks with ed25519: the Svix server's published vector, RFC 8032's, keys of every form, and the
// runtime's WebCrypto as oracle in both directions.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { schemes, type Headers } from '../../../core/signature/schemes.ts';

const { key, sign, verify, newSecret, receiverSecret } = schemes['standard-ed25519'];
const secret =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==';
const publicSecret = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=';
const message = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampS: 1_614_265_330,
  body: '{"test": 2432232314}',
};
const signature =
  'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';
const headers = {
  'webhook-id': message.id,
  'webhook-timestamp': String(message.timestampS),
  'webhook-signature': signature,
};

function refusal(
  given: Headers,
  secrets = [publicSecret],
  nowS = message.timestampS,
  body = message.body,
): string | undefined {
  const verified = verify(secrets.map(key), given, body, { nowS });
  return verified.ok ? undefined : verified.reason;
}

test('signs the published vector; the public key verifies it, and so does the private one', () => {
  assert.deepEqual(sign([key(secret)], message), headers);
  assert.equal(refusal(headers), undefined);
  assert.equal(refusal(headers, [secret]), undefined);
  assert.equal(receiverSecret(secret), publicSecret);
  assert.equal(receiverSecret(publicSecret), publicSecret);
});

test('makes the public key of RFC 8032, test 1, from its private key', () => {
  const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
  const expected = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
  assert.equal(receiverSecret(`whsk_${seed.toString('base64')}`), `whpk_${expected.toString('base64')}`);
});

describe('refuses', () => {
  for (const [what, reason, given, nowS] of [
    [
      'the symmetric kind alone',
      'unsupported-signature',
      { ...headers, 'webhook-signature': signature.replace('v1a', 'v1') },
    ],
    ['a truncated signature', 'no-match', { ...headers, 'webhook-signature': signature.slice(0, -4) }],
    [
      'a signature without its padding',
      'no-match',
      { ...headers, 'webhook-signature': signature.slice(0, -2) },
    ],
    ['a lone version', 'no-match', { ...headers, 'webhook-signature': 'v1a,' }],
    ['another id', 'no-match', { ...headers, 'webhook-id': 'msg_other' }],
    ['five minutes and a second old', 'too-old', headers, message.timestampS + 301],
    ['five minutes and a second ahead', 'too-new', headers, message.timestampS - 301],
    ['no id', 'missing-header', { ...headers, 'webhook-id': undefined }],
  ] as [string, string, Headers, number?][]) {
    test(what, () => assert.equal(refusal(given, [publicSecret], nowS), reason));
  }
  test('another key', () => assert.equal(refusal(headers, [newSecret()]), 'no-match'));
});

test('a receiver of symmetric signatures beside asymmetric ones takes its own', () => {
  const symmetric = schemes.standard;
  const shared = symmetric.newSecret();
  const both = `${signature} ${symmetric.sign([symmetric.key(shared)], message)['webhook-signature']}`;
  const given = { ...headers, 'webhook-signature': both };
  assert.equal(refusal(given), undefined);
  assert.equal(
    symmetric.verify([symmetric.key(shared)], given, message.body, { nowS: message.timestampS }).ok,
    true,
  );
});

describe('a key', () => {
  const bytes = (count: number) => Buffer.alloc(count, 7).toString('base64');
  for (const [what, text] of [
    ['empty', ''],
    ['a bare prefix', 'whsk_'],
    ['of the symmetric kind', `whsec_${bytes(32)}`],
    ['too short', `whsk_${bytes(31)}`],
    ['too long', `whpk_${bytes(33)}`],
    ['a pair whose halves do not belong together', secret.replace('X0dR', 'aaaa')],
    ['not base64', `${publicSecret.slice(0, -2)}!=`],
  ] as const) {
    test(`that is ${what} is refused without repeating it`, () => {
      assert.throws(
        () => key(text),
        (error) =>
          error instanceof UserError &&
          error.code === 'bad-secret' &&
          !error.message.includes(text.slice(5, 20) || '\0'),
      );
    });
  }
});

test('WebCrypto verifies what is signed here, and the other way round', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.stringMatching(/^[\w-]{1,30}$/),
      fc.uint8Array({ maxLength: 300 }),
      async (id, body) => {
        const own = newSecret();
        const seedAndPublic = Buffer.from(own.slice(5), 'base64');
        const signed = Buffer.concat([Buffer.from(`${id}.${message.timestampS}.`), body]);
        const theirs = await webcrypto.subtle.importKey('raw', seedAndPublic.subarray(32), 'Ed25519', true, [
          'verify',
        ]);
        const made = sign([key(own)], { id, timestampS: message.timestampS, body })['webhook-signature']!;
        assert.equal(
          await webcrypto.subtle.verify('Ed25519', theirs, Buffer.from(made.slice(4), 'base64'), signed),
          true,
        );

        const pair = (await webcrypto.subtle.generateKey('Ed25519', true, [
          'sign',
          'verify',
        ])) as webcrypto.CryptoKeyPair; // of an asymmetric algorithm
        const raw = Buffer.from(await webcrypto.subtle.exportKey('raw', pair.publicKey));
        const list =
          'v1a,' +
          Buffer.from(await webcrypto.subtle.sign('Ed25519', pair.privateKey, signed)).toString('base64');
        assert.equal(
          refusalOf(
            `whpk_${raw.toString('base64')}`,
            { ...headers, 'webhook-id': id, 'webhook-signature': list },
            body,
          ),
          undefined,
        );
      },
    ),
    { numRuns: 30 },
  );
});

function refusalOf(text: string, given: Headers, body: Uint8Array): string | undefined {
  const verified = verify([key(text)], given, body, { nowS: message.timestampS });
  return verified.ok ? undefined : verified.reason;
}
