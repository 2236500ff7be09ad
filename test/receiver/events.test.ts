// Events as their senders' libraries type them, Slack's question for the address, and bodies that are no
// event.

import assert from 'node:assert/strict';
import type { EmitterWebhookEvent } from '@octokit/webhooks';
import type Stripe from 'stripe';
import { describe, expectTypeOf, test } from 'vitest';
import {
  createReceiver,
  schemes,
  sign,
  type Delivery,
  type GithubEvent,
  type SchemeName,
  type SlackEvent,
  type StandardEvent,
  type StripeEvent,
} from '../../receiver/index.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const stripeBody = {
  id: 'evt_1',
  object: 'event',
  type: 'invoice.paid',
  created: 1,
  livemode: false,
  api_version: null,
  data: { object: { id: 'in_1' } },
};

/** What the application sees, or why it cannot. */
async function eventIn(
  scheme: SchemeName,
  body: string,
  headers: Record<string, string> = {},
): Promise<unknown> {
  let seen: unknown;
  const secret = schemes[scheme].newSecret();
  const receiver = createReceiver({
    scheme,
    secrets: [schemes[scheme].receiverSecret(secret)],
    onDelivery: ({ event }) => (seen = event),
    onProblem: ({ error }) => (seen = error instanceof Error ? error.message : error),
  });
  const topic = scheme === 'github' ? { id: 'guid', topic: 'issues' } : {};
  await receiver.receive({ headers: { ...sign({ scheme, secret, body, ...topic }), ...headers }, body });
  return seen;
}

test.each<[SchemeName, body: string, event: unknown, headers?: Record<string, string>]>([
  [
    'standard',
    '{"type":"a.b","timestamp":"2026-01-01T00:00:00Z","data":{"id":7}}',
    { type: 'a.b', timestamp: '2026-01-01T00:00:00Z', data: { id: 7 } },
  ],
  ['standard-ed25519', '{"type":"a.b"}', { type: 'a.b', data: undefined }],
  ['stripe', JSON.stringify(stripeBody), stripeBody],
  ['github', '{"action":"opened"}', { id: 'guid', name: 'issues', payload: { action: 'opened' } }],
  [
    'github',
    `payload=${encodeURIComponent('{"action":"opened"}')}`,
    { id: 'guid', name: 'issues', payload: { action: 'opened' } },
    form,
  ],
  ['slack', '{"type":"event_callback"}', { type: 'event_callback' }],
  ['slack', 'command=%2Fdeploy&text=now', { command: '/deploy', text: 'now' }, form],
  ['slack', `payload=${encodeURIComponent('{"type":"block_actions"}')}`, { type: 'block_actions' }, form],
])('%s: %s', async (scheme, body, event, headers) => {
  assert.deepEqual(await eventIn(scheme, body, headers), event);
});

test.each<[SchemeName, body: string, says: RegExp]>([
  ['standard', '{', /^the body is not whole JSON/],
  ['standard', '', /^the body is not whole JSON/],
  ['standard', 'null', /^the body is JSON, but not an object$/],
  ['standard', '{"data":{}}', /^the body is not an event: it has no text in "type"$/],
  ['standard', '{"type":7}', /^the body is not an event: it has no text in "type"$/],
  [
    'standard',
    '['.repeat(1000),
    /^the body is not whole JSON, or nests its values more than 500 levels deep$/,
  ],
  ['stripe', '{"object":"event","type":"a"}', /^the body is not an event: it has no text in "id"$/],
  [
    'stripe',
    '{"id":"a","object":"event","type":"a"}',
    /^the body is not an event of Stripe: it has no data\.object$/,
  ],
  [
    'stripe',
    '{"id":"a","object":"v2.core.event","type":"a"}',
    /^this is a thin event of Stripe; read it with JSON/,
  ],
])('%s: %s is not an event', async (scheme, body, says) => {
  assert.match(String(await eventIn(scheme, body)), says);
});

test('GitHub’s event without its name is none', async () => {
  assert.match(
    String(await eventIn('github', '{}', { 'x-github-event': [] as never })),
    /no x-github-event$/,
  );
});

describe('types', () => {
  test('are those of the scheme, or those of the sender’s own library', () => {
    const secrets = ['x'];
    createReceiver({
      scheme: 'github',
      secrets,
      onDelivery({ event }: Delivery<EmitterWebhookEvent>) {
        if (event.name === 'push') expectTypeOf(event.payload.ref).toEqualTypeOf<string>();
      },
    });
    createReceiver({
      scheme: 'stripe',
      secrets,
      onDelivery: ({ event }) => expectTypeOf(event).toEqualTypeOf<StripeEvent>(),
    });
    createReceiver({
      scheme: 'stripe',
      secrets,
      onDelivery({ event }: Delivery<Stripe.Event>) {
        if (event.type === 'invoice.paid') expectTypeOf(event.data.object).toEqualTypeOf<Stripe.Invoice>();
      },
    });
    createReceiver({
      scheme: 'github',
      secrets,
      onDelivery: ({ event }) => expectTypeOf(event).toEqualTypeOf<GithubEvent>(),
    });
    createReceiver({
      scheme: 'slack',
      secrets,
      onDelivery: ({ event }) => expectTypeOf(event).toEqualTypeOf<SlackEvent>(),
    });
    const standard = schemes.standard.newSecret();
    createReceiver({
      scheme: 'standard',
      // Strict types have undefined for a variable of the environment.
      secrets: [standard as string | undefined],
      onDelivery: ({ event }) => expectTypeOf(event).toEqualTypeOf<StandardEvent>(),
    });
  });
});

describe('Slack asks whether the address is ours', () => {
  const secret = schemes.slack.newSecret();
  const acted: string[] = [];
  const receiver = createReceiver({
    scheme: 'slack',
    secrets: [secret],
    onDelivery: ({ body }) => acted.push(body.toString()),
    onProblem: () => {},
  });
  const ask = (value: unknown, key = secret) => {
    const body = JSON.stringify(value);
    return receiver.receive({ headers: sign({ scheme: 'slack', secret: key, body }), body });
  };
  const question = { token: 'x', challenge: '3eZbrw1aB', type: 'url_verification' };

  test('and is answered, as often as it asks; the application does not see it', async () => {
    for (let i = 0; i < 2; i++) {
      const { status, headers, body } = await ask(question);
      assert.deepEqual([status, body], [200, '3eZbrw1aB']);
      assert.match(headers!['content-type']!, /^text\/plain/);
    }
    assert.deepEqual([receiver.counts().challenged, acted], [2, []]);
  });

  test('but nobody else is, and a message that speaks of it is a message', async () => {
    assert.equal((await ask(question, 'another')).status, 401);
    const message = { type: 'event_callback', event_id: 'Ev1', event: { text: 'url_verification' } };
    assert.equal((await ask(message)).status, 204);
    assert.equal((await ask({ ...question, challenge: 'x'.repeat(2000) })).status, 204);
    assert.equal(acted.length, 2);
  });
});
