// Deliveries signed by each scheme, as their own libraries see them on the wire.

import assert from 'node:assert/strict';
import { Webhooks } from '@octokit/webhooks';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { test, type TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { schemeNames, schemes, type SchemeName } from '../../../core/signature/schemes.ts';
import { startServer } from '../../../servers/start.ts';
import { receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { serveOn } from './client.ts';

/** One event delivered, and the secret that the registration was answered with. */
async function deliverOne(t: TestContext, scheme: SchemeName) {
  const server = await startServer({
    pattern: 'webhook',
    options: patterns.webhook.options.parse({ scheme }),
    limits: defaultLimits,
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  const { got, url } = await receiver(t);
  const registered = await fetch(`${server.endpoint.url}/webhooks`, {
    method: 'POST',
    body: JSON.stringify({ url, events: ['news'] }),
  });
  assert.equal(registered.status, 201);
  const { secret } = (await registered.json()) as { secret: string };
  await fetch(`${server.endpoint.publishUrl}/topics/news`, { method: 'POST', body: '{"grüße":"🎈"}' });
  await until('it came', () => got.length === 1);
  const { headers, body } = got[0]!;
  const text = (name: string) => String(headers[name]);
  return { secret, headers, body, text, id: (JSON.parse(body) as { id: string }).id };
}

test('standard: standardwebhooks accepts it', async (t) => {
  const { secret, body, text } = await deliverOne(t, 'standard');
  new Webhook(secret).verify(body, {
    'webhook-id': text('webhook-id'),
    'webhook-timestamp': text('webhook-timestamp'),
    'webhook-signature': text('webhook-signature'),
  });
});

test('standard-ed25519: the answer holds the public key alone, and it verifies', async (t) => {
  const { secret, headers, body } = await deliverOne(t, 'standard-ed25519');
  assert.match(secret, /^whpk_/);
  const { key, verify } = schemes['standard-ed25519'];
  assert.deepEqual(verify([key(secret)], headers, body), { ok: true });
});

test('stripe: its library accepts it', async (t) => {
  const { secret, body, text, id } = await deliverOne(t, 'stripe');
  assert.equal(
    new Stripe('sk_test_none').webhooks.constructEvent(body, text('stripe-signature'), secret).id,
    id,
  );
});

test('github: octokit accepts it; the delivery and the event are named', async (t) => {
  const { secret, body, text, id } = await deliverOne(t, 'github');
  assert.equal(await new Webhooks({ secret }).verify(body, text('x-hub-signature-256')), true);
  assert.deepEqual([text('x-github-delivery'), text('x-github-event')], [id, 'news']);
});

test('slack: the scheme that is tested against its documentation accepts it', async (t) => {
  const { secret, headers, body } = await deliverOne(t, 'slack');
  const { key, verify } = schemes.slack;
  assert.deepEqual(verify([key(secret)], headers, body), { ok: true });
});

for (const name of schemeNames) {
  test(
    `${name}: every attempt has the same id, and a time and ` + 'a signature of its own that verify',
    async (t) => {
      const timers = virtualTimers();
      const server = await serveOn(t, timers, { scheme: name, retries: ['5s', '5m'] });
      const { got, url } = await receiver(t, (_, count) => (count < 3 ? 500 : 204));
      const { secret } = await server.register(url);
      await server.publish('news');
      const { key, verify, idOf } = schemes[name];
      const atS: number[] = [];
      for (let attempt = 1; attempt <= 3; attempt++) {
        await until(`attempt ${attempt}`, () => {
          if (got.length < attempt && timers.waiting() > 0) timers.next();
          return got.length === attempt;
        });
        atS.push(Math.floor(timers.nowMs() / 1000));
        const { headers, body } = got.at(-1)!;
        assert.deepEqual(verify([key(secret)], headers, body, { nowS: atS.at(-1)!, toleranceS: 0 }), {
          ok: true,
        });
        assert.equal(headers['pushbench-attempt'], String(attempt));
      }
      assert.deepEqual(
        atS.map((s) => s - atS[0]!),
        [0, 5, 305],
      );
      assert.equal(new Set(got.map(({ headers, body }) => idOf(headers, body))).size, 1);
      assert.equal(new Set(got.map(({ body }) => body)).size, 1);
      const signatures = new Set(
        got.map(({ headers }) =>
          JSON.stringify([
            headers['webhook-signature'],
            headers['stripe-signature'],
            headers['x-hub-signature-256'],
            headers['x-slack-signature'],
          ]),
        ),
      );
      assert.equal(signatures.size, name === 'github' ? 1 : 3, 'GitHub signs the body alone');
    },
  );
}
