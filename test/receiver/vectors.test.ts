// Gives receivers the requests that senders have published, one for each scheme: each is acted upon at its
// time, and refused a byte or a day later. (GitHub signs no time.)

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { createReceiver, type ReceiverOptions } from '../../receiver/index.ts';

type Vector = Pick<ReceiverOptions, 'scheme'> & {
  secret: string;
  timestampS: number;
  headers: Record<string, string>;
  body: string;
  id: string | undefined;
};

const standard = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampS: 1_614_265_330,
  body: '{"test": 2432232314}',
};
const standardHeaders = (signature: string, prefix = 'webhook-') => ({
  [`${prefix}id`]: standard.id,
  [`${prefix}timestamp`]: String(standard.timestampS),
  [`${prefix}signature`]: signature,
});

const vectors: Record<string, Vector> = {
  'Standard Webhooks, the libraries': {
    ...standard,
    scheme: 'standard',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: standardHeaders('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='),
  },
  'Svix, the libraries': {
    ...standard,
    scheme: 'standard',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: standardHeaders('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=', 'svix-'),
  },
  'Standard Webhooks with ed25519, the Svix server': {
    ...standard,
    scheme: 'standard-ed25519',
    secret: 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
    headers: standardHeaders(
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    ),
  },
  'Stripe, the fixture of its library': {
    scheme: 'stripe',
    secret: 'whsec_test_secret',
    timestampS: 1_234_567_890,
    headers: {
      'stripe-signature': 't=1234567890,v1=45969f456b3331a0f76e237ed33423d5f758908f1f0432d30e7d45ba89bb9edd',
    },
    body: JSON.stringify({ id: 'evt_test_webhook', object: 'event' }, undefined, 2),
    id: 'evt_test_webhook',
  },
  'GitHub, its documentation': {
    scheme: 'github',
    secret: "It's a Secret to Everybody",
    timestampS: 1,
    headers: {
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    },
    body: 'Hello, World!',
    id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  },
  'Slack, its documentation': {
    scheme: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    timestampS: 1_531_420_618,
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    body:
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&' +
      'channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&' +
      'response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554' +
      '%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    id: undefined,
  },
};

for (const [name, vector] of Object.entries(vectors)) {
  test(name, async () => {
    const { scheme, secret, timestampS, headers, body, id } = vector;
    const at = async (nowS: number, sent = body) => {
      const got: [string | undefined, string][] = [];
      const receiver = createReceiver({
        scheme,
        secrets: [secret],
        onDelivery: (delivery) => got.push([delivery.id, delivery.body.toString()]),
        onProblem: () => {},
        nowS: () => nowS,
      });
      return { status: (await receiver.receive({ headers, body: sent })).status, got };
    };
    assert.deepEqual(await at(timestampS), { status: 204, got: [[id, body]] });
    assert.deepEqual(await at(timestampS, `${body}\n`), { status: 401, got: [] });
    if (scheme !== 'github') assert.deepEqual(await at(timestampS + 86_400), { status: 401, got: [] });
  });
}
