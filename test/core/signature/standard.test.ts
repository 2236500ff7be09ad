// Standard Webhooks signatures: the published vector, the cases of the reference libraries' own tests, the
// library `standardwebhooks` as oracle in both directions, and tampering by property.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { newSecret, standardWebhooks, type Headers } from '../../../core/signature/schemes.ts';

const { key, sign, verify } = standardWebhooks;
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const body = '{"test": 2432232314}';
const sentS = 1_614_265_330;
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const headers = { 'webhook-id': id, 'webhook-timestamp': String(sentS), 'webhook-signature': signature };

/** Why a request with these headers is refused at the time it was sent, or undefined when it is not. */
function refusal(
  given: Headers,
  at: { nowS?: number; body?: string; secrets?: string[] } = {},
): string | undefined {
  const verified = verify((at.secrets ?? [secret]).map(key), given, at.body ?? body, {
    nowS: at.nowS ?? sentS,
  });
  return verified.ok ? undefined : verified.reason;
}

test('signs the published vector', () => {
  assert.deepEqual(sign([key(secret)], { id, timestampS: sentS, body }), headers);
});

describe('verifies', () => {
  const rows: [what: string, given: Headers, at?: Parameters<typeof refusal>[1]][] = [
    ['the published vector', headers],
    ['a secret without its prefix', headers, { secrets: [secret.slice('whsec_'.length)] }],
    ['five minutes old', headers, { nowS: sentS + 300 }],
    ['five minutes ahead', headers, { nowS: sentS - 300 }],
    [
      'the valid one third among wrong ones and unknown schemes',
      {
        ...headers,
        'webhook-signature': [
          'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=',
          'v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=',
          signature,
          'v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=',
        ].join(' '),
      },
    ],
    ['an old secret beside the new one', headers, { secrets: [newSecret(), secret] }],
    ['an empty body', sign([key(secret)], { id, timestampS: sentS, body: '' }), { body: '' }],
  ];
  for (const [what, given, at] of rows) test(what, () => assert.equal(refusal(given, at), undefined));
});

describe('refuses', () => {
  const without = (name: keyof typeof headers) => ({ ...headers, [name]: undefined });
  const rows: [what: string, reason: string, given: Headers, at?: Parameters<typeof refusal>[1]][] = [
    ['no id', 'missing-header', without('webhook-id')],
    ['no timestamp', 'missing-header', without('webhook-timestamp')],
    ['no signature', 'missing-header', without('webhook-signature')],
    ['an empty id', 'missing-header', { ...headers, 'webhook-id': '' }],
    [
      'a signature header given twice',
      'repeated-header',
      { ...headers, 'webhook-signature': [signature, signature] },
    ],
    ['a timestamp that is no number', 'bad-timestamp', { ...headers, 'webhook-timestamp': 'noon' }],
    [
      'a timestamp with something behind it',
      'bad-timestamp',
      { ...headers, 'webhook-timestamp': `${sentS}x` },
    ],
    ['a negative timestamp', 'bad-timestamp', { ...headers, 'webhook-timestamp': `-${sentS}` }],
    ['five minutes and a second old', 'too-old', headers, { nowS: sentS + 301 }],
    ['five minutes and a second ahead', 'too-new', headers, { nowS: sentS - 301 }],
    ['another secret', 'no-match', headers, { secrets: [newSecret()] }],
    ['no secret at all', 'no-match', headers, { secrets: [] }],
    ['a truncated signature', 'no-match', { ...headers, 'webhook-signature': signature.slice(0, -4) }],
    ['a lone v1', 'no-match', { ...headers, 'webhook-signature': 'v1,' }],
    ['a lone scheme', 'malformed-signature', { ...headers, 'webhook-signature': 'v1' }],
    [
      'the right digest under an unknown scheme',
      'unsupported-signature',
      { ...headers, 'webhook-signature': signature.replace('v1', 'v2') },
    ],
    [
      'the right digest without its scheme',
      'malformed-signature',
      { ...headers, 'webhook-signature': signature.slice(3) },
    ],
    [
      'a signature of the asymmetric kind',
      'unsupported-signature',
      { ...headers, 'webhook-signature': signature.replace('v1', 'v1a') },
    ],
    [
      'more signatures than any rotation has',
      'malformed-signature',
      { ...headers, 'webhook-signature': `${'v1,AAAA '.repeat(16)}${signature}` },
    ],
    ['the body parsed and printed again', 'no-match', headers, { body: JSON.stringify(JSON.parse(body)) }],
  ];
  for (const [what, reason, given, at] of rows) test(what, () => assert.equal(refusal(given, at), reason));

  test('with a sentence for each reason that names the bound', () => {
    const message = (given: Headers, nowS: number) => {
      const verified = verify([key(secret)], given, body, { nowS, toleranceS: 10 });
      return verified.ok ? '' : verified.message;
    };
    assert.match(message(headers, sentS + 15), /15 s ago; more than 10 s/);
    assert.match(message(headers, sentS - 15), /15 s ahead of this clock; more than 10 s/);
    assert.match(message({}, sentS), /carries no webhook-id/);
    assert.match(
      message({ ...headers, 'webhook-signature': [signature, signature] }, sentS),
      /webhook-signature more than once/,
    );
    assert.match(
      message({ ...headers, 'webhook-signature': 'v2,AAAA' }, sentS),
      /no signature of a kind that is accepted/,
    );
    assert.match(
      message({ ...headers, 'webhook-signature': 'AAAA' }, sentS),
      /does not have the form of its scheme/,
    );
    assert.match(message({ ...headers, 'webhook-timestamp': 'x' }, sentS), /whole seconds since 1970/);
    assert.match(
      message({ ...headers, 'webhook-id': 'other' }, sentS),
      /no signature of the request fits this secret/,
    );
  });
});

test('both signatures during a rotation, each valid for a receiver that knows one of the secrets', () => {
  const [old, fresh] = [newSecret(), newSecret()];
  const both = sign([key(fresh), key(old)], { id, timestampS: sentS, body });
  assert.equal(both['webhook-signature']!.split(' ').length, 2);
  assert.equal(refusal(both, { secrets: [old] }), undefined);
  assert.equal(refusal(both, { secrets: [fresh] }), undefined);
  assert.equal(refusal(both, { secrets: [newSecret()] }), 'no-match');
});

describe('a secret', () => {
  const random = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');
  test('of 24 to 64 bytes, padded or not, with and without prefix', () => {
    for (const text of [
      random(24),
      random(25),
      random(64),
      `whsec_${random(32)}`,
      `whsec_${random(32).replace('=', '')}`,
      newSecret(),
    ])
      key(text);
    assert.deepEqual(key(`whsec_${random(32).replace('=', '')}`).export(), Buffer.alloc(32, 7));
  });
  for (const [what, text, says] of [
    ['empty', '', /holds 0/],
    ['a bare prefix', 'whsec_', /holds 0/],
    ['too short', `whsec_${random(23)}`, /24 to 64 random bytes; this one holds 23/],
    ['too long', `whsec_${random(65)}`, /holds 65/],
    ['not base64', `whsec_${random(32)}!`, /is not base64/],
    ['base64 of the URL kind', `whsec_${'-_'.repeat(20)}`, /is not base64/],
    ['with a blank in it', `whsec_ ${random(32)}`, /is not base64/],
  ] as const) {
    test(`that is ${what} is refused without repeating it`, () => {
      assert.throws(
        () => key(text),
        (error) =>
          error instanceof UserError &&
          error.code === 'bad-secret' &&
          says.test(error.message) &&
          (text === '' || !error.message.includes(text.slice(6) || '\0')),
      );
    });
  }
  test('is never made twice', () => assert.notEqual(newSecret(), newSecret()));
});

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json());
const anySecret = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`);
const messageId = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);

describe('with standardwebhooks as oracle', () => {
  // The library reads the clock itself, so both sides use the present.
  const nowS = () => Math.floor(Date.now() / 1000);

  test('it accepts what is signed here', () => {
    fc.assert(
      fc.property(
        anySecret,
        messageId,
        text.filter((t) => t.isWellFormed()),
        (anyone, message, payload) => {
          const signed = sign([key(anyone)], { id: message, timestampS: nowS(), body: payload });
          new Webhook(anyone).verify(payload, signed, { jsonParse: false });
        },
      ),
    );
  });

  test('what it signs is accepted here', () => {
    fc.assert(
      fc.property(
        anySecret,
        messageId,
        text.filter((t) => t.isWellFormed()),
        (anyone, message, payload) => {
          const timestampS = nowS();
          const made = {
            'webhook-id': message,
            'webhook-timestamp': String(timestampS),
            'webhook-signature': new Webhook(anyone).sign(message, new Date(timestampS * 1000), payload),
          };
          assert.deepEqual(verify([key(anyone)], made, Buffer.from(payload)), { ok: true });
        },
      ),
    );
  });

  test('they agree on headers of all kinds', () => {
    const at = nowS();
    const good = sign([key(secret)], { id, timestampS: at, body });
    const entry = fc.constantFrom(
      good['webhook-signature']!,
      'v1,',
      'v1',
      'v2,abc',
      `${good['webhook-signature']!}=`,
      'v1,AAAA',
      '',
      good['webhook-signature']!.slice(0, -1),
    );
    const offset = fc.constantFrom(0, 100, -100, 290, -290, 310, -310);
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), offset, fc.boolean(), (entries, ageS, resign) => {
        const timestampS = at - ageS;
        const list = resign
          ? [...entries, sign([key(secret)], { id, timestampS, body })['webhook-signature']!]
          : entries;
        const given = {
          'webhook-id': id,
          'webhook-timestamp': String(timestampS),
          'webhook-signature': list.join(' '),
        };
        let theirs = true;
        try {
          new Webhook(secret).verify(body, given);
        } catch {
          theirs = false;
        }
        assert.equal(verify([key(secret)], given, body).ok, theirs);
      }),
    );
  });
});

test('any flipped bit in body, id, timestamp, signature or key fails', () => {
  const parts = ['body', 'webhook-id', 'webhook-timestamp', 'webhook-signature', 'key'] as const;
  fc.assert(
    fc.property(
      anySecret,
      messageId,
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.constantFrom(...parts),
      fc.nat(),
      fc.nat(7),
      (anyone, message, payload, part, at, bit) => {
        const signed = sign([key(anyone)], { id: message, timestampS: sentS, body: payload });
        const flipped = (bytes: Uint8Array) => {
          const copy = Buffer.from(bytes);
          copy[at % copy.length]! ^= 1 << bit;
          return copy;
        };
        const given: Record<string, string> = { ...signed };
        if (part !== 'body' && part !== 'key')
          given[part] = flipped(Buffer.from(given[part]!)).toString('latin1');
        const bytes = part === 'body' ? flipped(payload) : payload;
        const used = part === 'key' ? `whsec_${flipped(key(anyone).export()).toString('base64')}` : anyone;
        assert.equal(verify([key(used)], given, bytes, { nowS: sentS }).ok, false);
      },
    ),
    { numRuns: 1000 },
  );
});
