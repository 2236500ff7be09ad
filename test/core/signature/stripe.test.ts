// Stripe's scheme: vectors of its library's fixture, that library's own cases, and the library as
// oracle in both directions.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import Stripe from 'stripe';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { schemes, type Headers, type VerifyOptions } from '../../../core/signature/schemes.ts';

const { key, sign, verify, newSecret, idOf } = schemes.stripe;
const { webhooks } = new Stripe('sk_test_none');
const secret = 'whsec_test_secret';
const body = JSON.stringify({ id: 'evt_test_webhook', object: 'event' }, undefined, 2);
const nowS = 1_234_567_890;
const digest = '45969f456b3331a0f76e237ed33423d5f758908f1f0432d30e7d45ba89bb9edd';
const headers = { 'stripe-signature': `t=${nowS},v1=${digest}` };

function refusal(
  given: Headers,
  options: VerifyOptions = {},
  secrets = [secret],
  payload: string | Uint8Array = body,
): string | undefined {
  const verified = verify(secrets.map(key), given, payload, { nowS, ...options });
  return verified.ok ? undefined : verified.reason;
}
const signedAt = (timestampS: number) => sign([key(secret)], { id: 'evt_1', timestampS, body });

test('signs the vectors', () => {
  assert.equal(Buffer.byteLength(body), 51);
  assert.deepEqual(sign([key(secret)], { id: 'evt_1', timestampS: nowS, body }), headers);
  assert.equal(
    signedAt(12_345)['stripe-signature'],
    't=12345,v1=2672d138c9a412830f3bfe2ecc5bfb3277cf6f5b49d0119d77dd6cb64da1257e',
  );
});

describe('verifies', () => {
  test('the vector, as text and as bytes', () => {
    assert.equal(refusal(headers), undefined);
    assert.equal(refusal(headers, {}, [secret], Buffer.from(body)), undefined);
    assert.equal(refusal(headers, {}, [secret], new TextEncoder().encode(body)), undefined);
  });
  test('beside a made-up signature', () =>
    assert.equal(refusal({ 'stripe-signature': `${headers['stripe-signature']},v1=potato` }), undefined));
  test('beside a v0', () =>
    assert.equal(refusal({ 'stripe-signature': `t=${nowS},v0=aaaa,v1=${digest}` }), undefined));
  test('a time in the future, as the library does', () =>
    assert.equal(refusal(signedAt(nowS + 10_000)), undefined));
  test('9 s old where 10 s are accepted', () =>
    assert.equal(refusal(signedAt(nowS - 9), { toleranceS: 10 }), undefined));
  test('by the old secret while both sign', () => {
    const fresh = newSecret();
    const both = sign([key(fresh), key(secret)], { id: 'evt_1', timestampS: nowS, body });
    assert.equal(both['stripe-signature']!.match(/v1=/g)!.length, 2);
    assert.equal(refusal(both), undefined);
    assert.equal(refusal(both, {}, [fresh]), undefined);
  });
});

describe('refuses', () => {
  const given = (text: string) => ({ 'stripe-signature': text });
  const rows: [what: string, reason: string, headers: Headers, options?: VerifyOptions][] = [
    ['no header', 'missing-header', {}],
    ['a header as a list', 'repeated-header', { 'stripe-signature': [headers['stripe-signature'], 'x'] }],
    ['what is no header of the scheme', 'malformed-signature', given('I am no signature')],
    ['no time', 'malformed-signature', given(`v1=${digest}`)],
    ['two times', 'malformed-signature', given(`t=1,t=${nowS},v1=${digest}`)],
    ['a time that is none', 'bad-timestamp', given(`t=noon,v1=${digest}`)],
    ['v0 alone, with the right digest', 'unsupported-signature', given(`t=${nowS},v0=${digest}`)],
    ['a wrong v1', 'no-match', given(`t=${nowS},v1=bad_signature`)],
    ['another time', 'no-match', given(`t=${nowS + 1},v1=${digest}`)],
    [
      'more signatures than any rotation has',
      'malformed-signature',
      given(`t=${nowS}${',v1=aa'.repeat(20)},v1=${digest}`),
    ],
    ['15 s old where 10 s are accepted', 'too-old', signedAt(nowS - 15), { toleranceS: 10 }],
    ['400 s old', 'too-old', signedAt(nowS - 400)],
    ['a second old where none is accepted', 'too-old', signedAt(nowS - 1), { toleranceS: 0 }],
  ];
  for (const [what, reason, which, options] of rows)
    test(what, () => assert.equal(refusal(which, options), reason));
  test('the secret decoded instead of as text', () =>
    assert.equal(refusal(headers, {}, [secret.slice('whsec_'.length)]), 'no-match'));
});

test('a secret with white space or nothing in it is refused without repeating it', () => {
  assert.throws(
    () => key(`${secret}\n`),
    (error) =>
      error instanceof UserError &&
      /white space/.test(error.message) &&
      !error.message.includes('test_secret'),
  );
  assert.throws(() => key(''), /1 to 512 characters/);
});

test('a repetition is recognised by the id in the body', () => {
  assert.equal(idOf(headers, body), 'evt_test_webhook');
  assert.equal(idOf(headers, Buffer.from(body)), 'evt_test_webhook');
  for (const none of ['', 'null', '[]', '{"id":7}', '{"id":""}', '{'])
    assert.equal(idOf(headers, none), undefined);
});

describe('with the library as oracle', () => {
  const payload = fc
    .record({ id: fc.string(), text: fc.string({ unit: 'binary' }) })
    .map((value) => JSON.stringify(value))
    .filter((text) => text.isWellFormed());
  const anySecret = fc.stringMatching(/^[\w-]{1,60}$/).map((text) => `whsec_${text}`);

  test('it accepts what is signed here, and the other way round', () => {
    fc.assert(
      fc.property(anySecret, payload, (anyone, text) => {
        const timestampS = Math.floor(Date.now() / 1000);
        const made = sign([key(newSecret()), key(anyone)], { id: 'x', timestampS, body: text });
        webhooks.constructEvent(text, made['stripe-signature']!, anyone);
        const theirs = webhooks.generateTestHeaderString({ payload: text, secret: anyone });
        assert.deepEqual(verify([key(anyone)], { 'stripe-signature': theirs }, text), { ok: true });
      }),
    );
  });

  test('they agree on headers of all kinds', () => {
    const at = Math.floor(Date.now() / 1000);
    const right = signedAt(at)['stripe-signature']!.split('v1=')[1]!;
    // An empty `v1` is not among them: the library's comparison throws on it, whatever stands beside.
    const entry = fc.constantFrom(
      `v1=${right}`,
      `v0=${right}`,
      'v1=potato',
      `v1=${right.toUpperCase()}`,
      'x=1',
      '',
      `v1=${right.slice(1)}`,
    );
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 4 }),
        fc.constantFrom(0, 290, -290, 310, -310),
        fc.boolean(),
        (entries, ageS, resign) => {
          const signed = resign
            ? [signedAt(at - ageS)['stripe-signature']!, ...entries].join(',')
            : [`t=${at - ageS}`, ...entries].join(',');
          let theirs = true;
          try {
            webhooks.constructEvent(body, signed, secret);
          } catch {
            theirs = false;
          }
          assert.equal(verify([key(secret)], { 'stripe-signature': signed }, body).ok, theirs, signed);
        },
      ),
    );
  });
});
