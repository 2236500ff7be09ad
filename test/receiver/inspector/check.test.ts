// What is said of a request's signature: right and by which scheme, or precisely what is wrong. The
// signatures are made by other people's libraries and published vectors.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { Webhooks } from '@octokit/webhooks';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { describe, test } from 'vitest';
import type { Headers } from '../../../core/signature/schemes.ts';
import { checkSignature } from '../../../receiver/inspector/check.ts';
import { readSecrets } from '../../../receiver/inspector/secrets.ts';

const nowS = 1_700_000_000;
const standardSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const otherSecret = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
const textSecret = 'It is a secret';
const body = '{"id":"evt_1","amount":10.50,"note":"grüße"}';

const standard = (text = body, atS = nowS, secret = standardSecret): Headers => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(atS),
  'webhook-signature': new Webhook(secret).sign('msg_1', new Date(atS * 1000), text),
});
const stripe = (payload = body, timestamp = nowS, secret = standardSecret): Headers => ({
  'stripe-signature': new Stripe('sk_test_none').webhooks.generateTestHeaderString({
    payload,
    secret,
    timestamp,
  }),
});
const github = async (text = body, secret = textSecret): Promise<Headers> => ({
  'x-github-event': 'push',
  'x-github-delivery': 'd-1',
  'x-hub-signature-256': await new Webhooks({ secret }).sign(text),
});
/** As Slack's documentation computes it. */
const slack = (text = body, atS = nowS, secret = textSecret): Headers => ({
  'x-slack-request-timestamp': String(atS),
  'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${atS}:${text}`).digest('hex')}`,
});

function check(
  headers: Headers,
  secrets: readonly string[],
  {
    text = body,
    verifiedBefore = 0,
    atS = nowS,
  }: { text?: string; verifiedBefore?: number; atS?: number } = {},
) {
  return checkSignature(headers, Buffer.from(text), {
    secrets: readSecrets(secrets),
    nowS: atS,
    verifiedBefore: () => verifiedBefore,
  });
}

test('what other libraries sign is verified, and the scheme is recognised by the headers', async () => {
  const rows: [Headers, string, RegExp][] = [
    [standard(), standardSecret, /^Standard Webhooks, signed 0 s ago$/],
    [stripe(body, nowS - 12), standardSecret, /^Stripe, signed 12 s ago$/],
    [await github(), textSecret, /^GitHub; this scheme signs no time$/],
    [slack(body, nowS - 1), textSecret, /^Slack, signed 1 s ago$/],
  ];
  for (const [headers, secret, message] of rows) {
    const verdict = check(headers, [secret]);
    assert.equal(verdict.kind, 'verified', verdict.message);
    assert.match(verdict.message, message);
  }
});

test('Standard Webhooks by ed25519: the published vector, and its age apart from its signature', () => {
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature':
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
  };
  const secrets = ['whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='];
  const text = '{"test": 2432232314}';
  assert.equal(check(headers, secrets, { text, atS: 1_614_265_330 }).kind, 'verified');
  const late = check(headers, secrets, { text });
  assert.deepEqual([late.kind, 'reason' in late && late.reason], ['wrong', 'too-old']);
  assert.match(late.message, /signed 85734670 s ago; .* apart from its time the signature is right$/);
  assert.match(
    check(headers, [standardSecret], { text }).message,
    /not checked: .*an ed25519 key is "whsk_"/,
  );
});

test('Svix signs in the same way under names of its own, and is told of under those', () => {
  const svix = Object.fromEntries(
    Object.entries(standard()).map(([name, value]) => [name.replace('webhook-', 'svix-'), value]),
  );
  assert.equal(check(svix, [standardSecret]).kind, 'verified');
  const { 'svix-timestamp': _, ...without } = svix;
  assert.match(check(without, [standardSecret]).message, /the request carries no svix-timestamp$/);
});

describe('what is wrong is said precisely', () => {
  test('a wrong secret, before and after others have verified', async () => {
    const rows: [Headers, string][] = [
      [standard(), otherSecret],
      [stripe(), otherSecret],
      [await github(), 'another'],
      [slack(), 'another'],
    ];
    for (const [headers, secret] of rows) {
      const verdict = check(headers, [secret]);
      assert.deepEqual([verdict.kind, 'reason' in verdict && verdict.reason], ['wrong', 'no-match']);
      assert.match(
        verdict.message,
        /no signature fits this secret and the 46 bytes that arrived: .*compare the secret first$/,
      );
      assert.match(
        check(headers, [secret], { verifiedBefore: 3 }).message,
        /3 requests .* before, so the signed content \(the body, or its id or time\) was probably changed$/,
      );
    }
  });

  test('an old timestamp: with a right signature, and with a wrong one', () => {
    for (const headers of [standard(body, nowS - 3600), stripe(body, nowS - 3600)]) {
      assert.match(
        check(headers, [standardSecret]).message,
        /signed 3600 s ago; more than 300 s is not accepted; apart from its time the signature is right$/,
      );
      assert.match(
        check(headers, [otherSecret]).message,
        /signed 3600 s ago; more than 300 s is not accepted; no signature fits this secret/,
      );
    }
    assert.match(check(slack(body, nowS + 900), [textSecret]).message, /signed 900 s ahead of this clock/);
  });

  test('an altered body: printed again, with a line end more or less, or another altogether', () => {
    const pretty = JSON.stringify(JSON.parse(body), null, 2);
    const compact = JSON.stringify(JSON.parse(body));
    const rows: [signed: string, came: string, RegExp][] = [
      [compact, pretty, /the body was parsed and printed again after it was signed/],
      [pretty, compact, /the body was parsed and printed again after it was signed/],
      [body, `${body}\n`, /a line end was added to the body after it was signed/],
      [`${body}\n`, body, /the line end of the body was lost after it was signed/],
      ['a\nb', 'a\r\nb', /the line ends of the body were changed/],
      [body, body.replace('10.50', '99.50'), /the sender has another secret, or the content it signed/],
    ];
    for (const [signed, text, message] of rows)
      for (const headers of [standard(signed), stripe(signed)])
        assert.match(check(headers, [standardSecret], { text }).message, message);
  });

  test('a secret that the sender reads in another way', () => {
    const byText = (secret: string): Headers => {
      const digest = createHmac('sha256', secret).update(`msg_1.${nowS}.${body}`).digest('base64');
      return { ...standard(), 'webhook-signature': `v1,${digest}` };
    };
    assert.match(check(byText(standardSecret), [standardSecret]).message, /signs with the secret as text/);
    assert.match(
      check(stripe(body, nowS, standardSecret.slice(6)), [standardSecret]).message,
      /signs with the secret without "whsec_"/,
    );
  });

  test('headers that are missing or of an older kind', async () => {
    const { 'webhook-signature': _, ...unsigned } = standard();
    assert.match(check(unsigned, [standardSecret]).message, /the request carries no webhook-signature$/);
    assert.match(
      check({ 'stripe-signature': 'v1=00' }, [standardSecret]).message,
      /stripe-signature does not have the form of its scheme$/,
    );
    const { 'x-hub-signature-256': __, ...bare } = await github();
    assert.match(check(bare, [textSecret]).message, /GitHub signs when the webhook has a secret/);
    assert.match(check({ ...bare, 'x-hub-signature': 'sha1=00' }, [textSecret]).message, /which is SHA-1/);
  });
});

test('without a secret it says which flag would check it; unsigned is unsigned', async () => {
  const rows: [Headers, RegExp][] = [
    [standard(), /^Standard Webhooks, not checked: start with --secret whsec_\.\.\. to check/],
    [stripe(), /^Stripe, not checked: start with --secret whsec_/],
    [await github(), /^GitHub, not checked: start with --secret TEXT/],
    [slack(), /^Slack, not checked: start with --secret TEXT/],
  ];
  for (const [headers, message] of rows) {
    const verdict = check(headers, []);
    assert.equal(verdict.kind, 'unchecked');
    assert.match(verdict.message, message);
  }
  assert.equal(check({ 'content-type': 'text/plain' }, [textSecret]).kind, 'unsigned');
});

test('several secrets: one of them is enough, and blanks around one are not part of it', () => {
  assert.equal(check(standard(), [otherSecret, ` ${standardSecret}\n`]).kind, 'verified');
  assert.throws(() => readSecrets(['short'], 'standard'), /a webhook secret is "whsec_"/);
  assert.equal(
    checkSignature(standard(), Buffer.from(body), {
      secrets: readSecrets([standardSecret], 'stripe'),
      nowS,
      verifiedBefore: () => 0,
    }).kind,
    'unchecked',
  );
});

test('no message repeats a secret or a signature', () => {
  for (const headers of [standard(), stripe(), slack()])
    for (const secret of [otherSecret, 'tea for twenty-two', standardSecret.slice(6)]) {
      const { message } = check(headers, [secret]);
      for (const hidden of [
        secret.slice(0, 12),
        ...Object.values(headers).map((one) => String(one).slice(-20)),
      ])
        assert.ok(!message.includes(hidden), message);
    }
});
