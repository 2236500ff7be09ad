// What holds for every signature scheme: round trip, tampering, rotation, secrets that no message repeats.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import fc from 'fast-check';
import { describe, test, vi } from 'vitest';
import { messageOf } from '../../../core/base/errors.ts';
import { schemeNames, schemes } from '../../../core/signature/schemes.ts';
import { skipWhen } from '../../skip.ts';

const timestampS = 1_700_000_000;
const at = { nowS: timestampS };
const messageId = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
const payload = fc.uint8Array({ minLength: 1, maxLength: 200 });
/** The headers that each scheme's signature covers, itself among them. */
const covered: Record<string, readonly string[]> = {
  standard: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  'standard-ed25519': ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  stripe: ['stripe-signature'],
  github: ['x-hub-signature-256'],
  slack: ['x-slack-signature', 'x-slack-request-timestamp'],
};

for (const name of schemeNames) {
  const { key, sign, verify, newSecret, receiverSecret, signsWithAll } = schemes[name];

  describe(name, () => {
    test('the receiver verifies with what it is told, any bytes', () => {
      fc.assert(
        fc.property(messageId, fc.uint8Array({ maxLength: 300 }), (id, body) => {
          const secret = newSecret();
          const headers = sign([key(secret)], { id, timestampS, body });
          assert.deepEqual(verify([key(receiverSecret(secret))], headers, body, at), { ok: true });
          assert.equal(verify([key(newSecret())], headers, body, at).ok, false);
          assert.equal(verify([], headers, body, at).ok, false);
        }),
        { numRuns: 50 },
      );
    });

    test('any flipped bit in the body or a header that counts fails', () => {
      const [right, own] = [newSecret(), key];
      fc.assert(
        fc.property(
          messageId,
          payload,
          fc.constantFrom('body', ...covered[name]!),
          fc.nat(),
          fc.nat(7),
          (id, body, part, index, bit) => {
            const flipped = (bytes: Uint8Array) => {
              const copy = Buffer.from(bytes);
              copy[index % copy.length]! ^= 1 << bit;
              return copy;
            };
            const headers = sign([own(right)], { id, timestampS, body });
            const given =
              part === 'body'
                ? headers
                : { ...headers, [part]: flipped(Buffer.from(headers[part]!)).toString('latin1') };
            assert.equal(verify([own(right)], given, part === 'body' ? flipped(body) : body, at).ok, false);
          },
        ),
        { numRuns: 400 },
      );
    });

    test(
      'rotation: a receiver of the new secret is served throughout, ' +
        'one of the old while both sign or it knows both',
      () => {
        const [old, fresh] = [newSecret(), newSecret()];
        const body = '{}';
        const both = sign([key(fresh), key(old)], { id: 'a', timestampS, body });
        assert.equal(verify([key(fresh)], both, body, at).ok, true);
        assert.equal(verify([key(old)], both, body, at).ok, signsWithAll);
        assert.equal(
          verify([key(fresh), key(old)], sign([key(old)], { id: 'a', timestampS, body }), body, at).ok,
          true,
        );
      },
    );

    test('no message repeats a secret or a signature', () => {
      const secret = newSecret();
      const headers = sign([key(secret)], { id: 'a', timestampS, body: 'x' });
      const said = [
        verify([key(secret)], headers, 'y', at),
        verify([key(secret)], {}, 'x', at),
        verify([key(secret)], headers, 'x', { nowS: timestampS + 1000 }),
      ].map((verified) => (verified.ok ? '' : verified.message));
      for (const broken of [`${secret}${'x'.repeat(600)}`, secret.slice(0, 12)]) {
        try {
          key(broken);
        } catch (error) {
          said.push(messageOf(error));
        }
      }
      for (const text of said)
        for (const hidden of [secret.slice(6, 20), headers[covered[name]!.at(-1)!]!])
          assert.ok(!text.includes(hidden), text);
    });

    test('a wrong signature is compared whole, wherever it is wrong', (t) => {
      skipWhen(t, name === 'standard-ed25519' && 'ed25519 compares nothing secret');
      const compared: number[] = [];
      const timingSafeEqual = crypto.timingSafeEqual.bind(crypto);
      const mocked = vi.spyOn(crypto, 'timingSafeEqual').mockImplementation((a, b) => {
        compared.push(a.byteLength);
        return timingSafeEqual(a, b);
      });
      syncBuiltinESMExports();
      const own = [key(newSecret()), key(newSecret())];
      const headers = sign(own.slice(1), { id: 'a', timestampS, body: 'x' });
      const part = name === 'slack' ? 'x-slack-signature' : covered[name]!.at(-1)!;
      const good = headers[part]!;
      const first = good.lastIndexOf(name === 'standard' ? ',' : '=', good.length - 3) + 1;
      const lengths = [
        good,
        ...[first, first + 9, good.length - 3].map(
          (i) => `${good.slice(0, i)}${good[i] === 'a' ? 'b' : 'a'}${good.slice(i + 1)}`,
        ),
      ].map((given, i) => {
        compared.length = 0;
        assert.equal(verify(own, { ...headers, [part]: given }, 'x', at).ok, i === 0);
        return [...compared];
      });
      mocked.mockRestore();
      syncBuiltinESMExports();
      // Both keys are tried in full, also when one has matched.
      assert.equal(lengths[0]!.length, 2);
      for (const one of lengths) assert.deepEqual(one, lengths[0]);
    });

    test('a new secret is made each time', () => assert.notEqual(newSecret(), newSecret()));
  });
}
