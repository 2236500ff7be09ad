// Holds the receiver against the senders' own libraries, both ways: what they sign is accepted, what `sign`
// signs they accept, and what was changed on its way neither takes. Svix's library is `svix`.

import assert from 'node:assert/strict';
import { Webhooks } from '@octokit/webhooks';
import fc from 'fast-check';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import { describe, test } from 'vitest';
import { createReceiver, schemes, sign, type SchemeName } from '../../receiver/index.ts';

const nowS = () => Math.floor(Date.now() / 1000);
const stripe = new Stripe('sk_test_none');

type Oracle = {
  name: string;
  scheme: SchemeName;
  signs(secret: string, id: string, body: string): Record<string, string> | Promise<Record<string, string>>;
  /** Throws, or gives false, for what it does not accept. */
  accepts(secret: string, headers: Record<string, string>, body: string): void | Promise<boolean>;
};

const oracles: Oracle[] = [
  {
    name: 'standardwebhooks',
    scheme: 'standard',
    signs: (secret, id, body) =>
      signedAs('webhook-', id, (at) => new StandardWebhook(secret).sign(id, at, body)),
    accepts: (secret, headers, body) => void new StandardWebhook(secret).verify(body, headers),
  },
  {
    name: 'svix',
    scheme: 'standard',
    signs: (secret, id, body) => signedAs('svix-', id, (at) => new SvixWebhook(secret).sign(id, at, body)),
    accepts: (secret, headers, body) => void new SvixWebhook(secret).verify(body, headers),
  },
  {
    name: 'stripe',
    scheme: 'stripe',
    signs: (secret, _id, body) => ({
      'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload: body, secret }),
    }),
    accepts: (secret, headers, body) =>
      void stripe.webhooks.constructEvent(body, headers['stripe-signature']!, secret),
  },
  {
    name: '@octokit/webhooks',
    scheme: 'github',
    signs: async (secret, id, body) => ({
      'x-hub-signature-256': await new Webhooks({ secret }).sign(body),
      'x-github-delivery': id,
      'x-github-event': 'push',
    }),
    accepts: (secret, headers, body) =>
      new Webhooks({ secret }).verify(body, headers['x-hub-signature-256']!),
  },
];

function signedAs(prefix: string, id: string, signature: (at: Date) => string): Record<string, string> {
  const at = new Date(nowS() * 1000);
  return {
    [`${prefix}id`]: id,
    [`${prefix}timestamp`]: String(nowS()),
    [`${prefix}signature`]: signature(at),
  };
}

const message = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/),
  body: fc.json(),
});

describe.each(oracles)('$name', ({ scheme, signs, accepts }) => {
  const secret = schemes[scheme].newSecret();

  test('what it signs is acted upon, byte for byte; what was changed is not', async () => {
    await fc.assert(
      fc.asyncProperty(message, async ({ id, body }) => {
        const got: string[] = [];
        const receiver = createReceiver({
          scheme,
          secrets: [schemes[scheme].newSecret(), secret],
          onDelivery: (delivery) => got.push(delivery.body.toString()),
          onProblem: () => {},
        });
        const headers = await signs(secret, id, body);
        assert.equal((await receiver.receive({ headers, body: `${body} ` })).status, 401);
        assert.equal((await receiver.receive({ headers, body })).status, 204);
        assert.deepEqual(got, [body]);
      }),
      { numRuns: 50 },
    );
  });

  test('what `sign` signs it accepts; what was changed it does not', async () => {
    await fc.assert(
      fc.asyncProperty(message, async ({ id, body }) => {
        const headers = sign({ scheme, secret, id, body, topic: 'push' });
        assert.notEqual(await accepts(secret, headers, body), false);
        const isAccepted = async () => (await accepts(secret, headers, `${body} `)) !== false;
        assert.equal(await isAccepted().catch(() => false), false);
      }),
      { numRuns: 50 },
    );
  });
});

test('old deliveries are made by `sign` too, and refused', async () => {
  for (const scheme of ['standard', 'stripe', 'slack'] as const) {
    const secret = schemes[scheme].newSecret();
    const receiver = createReceiver({ scheme, secrets: [secret], onDelivery: () => {}, onProblem: () => {} });
    const body = '{}';
    const headers = sign({ scheme, secret, body, timestampS: nowS() - 25 * 365 * 86_400 });
    const { status, body: said } = await receiver.receive({ headers, body });
    assert.equal(status, 401);
    assert.match(String(said), /"too-old"/);
  }
});

test('`sign` refuses what it cannot sign, in words', () => {
  const good = { scheme: 'slack', secret: 'x', body: '{}' } as const;
  const rows: [options: object, says: RegExp][] = [
    [{ ...good, body: {} }, /^body must be the text or the bytes to be sent; it is of type object$/],
    [{ ...good, scheme: 'none' }, /^scheme must be one of /],
    [{ ...good, timestampS: Number.NaN }, /^timestampS must be a whole number .*; it is NaN$/],
    [{ ...good, timestamp: 5 }, /^sign has no option "timestamp"; did you mean "timestampS"\?$/],
    [{ ...good, secret: '' }, /^a webhook secret of this scheme is a text of 1 to 512 characters/],
  ];
  for (const [options, says] of rows)
    assert.throws(
      () => sign(options as typeof good), // odd on purpose
      (error: Error) => says.test(error.message) || assert.fail(error.message),
    );
});
