// GitHub's scheme: the vectors of its documentation and of octokit's tests, what must be refused, and octokit
// as oracle in both directions.

import assert from 'node:assert/strict';
import { Webhooks } from '@octokit/webhooks';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { schemes, type Headers } from '../../../core/signature/schemes.ts';

const { key, sign, verify, newSecret, idOf } = schemes.github;
const name = 'x-hub-signature-256';
const secret = "It's a Secret to Everybody";
const body = 'Hello, World!';
const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

function refusal(given: Headers, secrets = [secret]): string | undefined {
  const verified = verify(secrets.map(key), given, body);
  return verified.ok ? undefined : verified.reason;
}

test('signs the vectors, and names the delivery and the event beside', () => {
  assert.deepEqual(sign([key(secret)], { id: 'abc-1', topic: 'push', timestampS: 1, body }), {
    [name]: signature,
    'x-github-delivery': 'abc-1',
    'x-github-event': 'push',
  });
  assert.equal(
    sign([key('mysecret')], { id: 'a', timestampS: 1, body: '{"foo":"bar"}' })[name],
    'sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3',
  );
});

test('verifies the vectors of octokit with escapes and beyond ASCII, as text and as bytes', () => {
  for (const [text, digest] of [
    [
      '{"foo":"Foo\\n\\u001B[34mbar: ♥♥♥♥♥♥♥♥\\nthis-is-lost\\u001B[0m\\u001B[2K"}',
      'afecc3caa27548bb90d51a50384cb2868b9a3327b4ad6a01c9bd4ed0f8b0b12c',
    ],
    ['{"foo":"\\\\u001b"}', '6f8326efbacfbd04e870cea25b5652e635be8c9807f2fd5348ef60753c9e96ed'],
  ] as const) {
    const headers = { [name]: `sha256=${digest}` };
    for (const given of [text, Buffer.from(text), new TextEncoder().encode(text)])
      assert.deepEqual(verify([key('development')], headers, given), { ok: true });
    assert.equal(sign([key('development')], { id: 'a', timestampS: 1, body: text })[name], headers[name]);
  }
});

test('verifies the vector, with an old secret beside the new one too, whatever the time', () => {
  assert.equal(refusal({ [name]: signature }), undefined);
  assert.equal(refusal({ [name]: signature }, [newSecret(), secret]), undefined);
  assert.deepEqual(
    verify([key(secret)], { [name]: signature }, body, { nowS: 4_000_000_000, toleranceS: 0 }),
    { ok: true },
  );
});

test('signs with the newest of several secrets: there is room for one', () => {
  assert.equal(sign([key(secret), key(newSecret())], { id: 'a', timestampS: 1, body })[name], signature);
});

describe('refuses', () => {
  for (const [what, reason, given] of [
    ['no header', 'missing-header', {}],
    ['SHA-1 alone', 'missing-header', { 'x-hub-signature': 'sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59' }],
    [
      'SHA-1 in the place of SHA-256',
      'unsupported-signature',
      { [name]: 'sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59' },
    ],
    ['no digest', 'malformed-signature', { [name]: 'sha256' }],
    ['an empty digest', 'no-match', { [name]: 'sha256=' }],
    ['a truncated digest', 'no-match', { [name]: signature.slice(0, -2) }],
    ['a digest in capitals', 'no-match', { [name]: `sha256=${signature.slice(7).toUpperCase()}` }],
    ['the header twice', 'repeated-header', { [name]: [signature, signature] }],
  ] as [string, string, Headers][]) {
    test(what, () => assert.equal(refusal(given), reason));
  }
  test('another secret', () => assert.equal(refusal({ [name]: signature }, [newSecret()]), 'no-match'));
});

test('a repetition is recognised by the delivery header', () => {
  assert.equal(
    idOf({ 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' }, body),
    '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  );
  assert.equal(idOf({}, body), undefined);
});

test(
  'octokit accepts what is signed here, and the other way ' + 'round, with escapes and beyond ASCII',
  async () => {
    const texts = fc
      .oneof(
        fc.constantFrom('{"foo":"Foo\\n\\u001b[34mbar: ♥♥♥\\nthis-is-lost\\u001b[0m"}', '{"foo":"bar 🎈"}'),
        fc.string({ unit: 'binary', minLength: 1 }),
      )
      .filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), texts, async (anyone, text) => {
        const octokit = new Webhooks({ secret: anyone });
        const made = sign([key(anyone)], { id: 'a', timestampS: 1, body: text })[name]!;
        assert.equal(await octokit.verify(text, made), true);
        assert.deepEqual(verify([key(anyone)], { [name]: await octokit.sign(text) }, Buffer.from(text)), {
          ok: true,
        });
        assert.equal(await octokit.verify(text, `${made.slice(0, -1)}x`), false);
      }),
    );
  },
);
