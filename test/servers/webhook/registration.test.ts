// Checks how endpoints are registered and removed.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { newSecret, standardWebhooks } from '../../../core/signature/schemes.ts';
import { receiver } from '../receivers.ts';
import { serve } from './webhook-server.ts';

describe('registration', () => {
  test('gives an id, and a secret once when it made it', async (t) => {
    const { register, list, server } = await serve(t);
    const made = await register('http://127.0.0.1:9/hook', ['a', 'b', 'a']);
    assert.match(made.id, /^ep_[\w-]{12}$/);
    standardWebhooks.key(made.secret);
    const own = newSecret();
    const given = await register('http://localhost:9/hook', ['a'], own);
    assert.equal(given.secret, undefined);
    const { text, rows } = await list();
    assert.deepEqual(
      rows.map(({ id, url, events, disabled, pending }) => [id, url, events, disabled, pending]),
      [
        [made.id, 'http://127.0.0.1:9/hook', ['a', 'b'], undefined, 0],
        [given.id, 'http://localhost:9/hook', ['a'], undefined, 0],
      ],
    );
    for (const secret of [made.secret, own]) assert.ok(!text.includes(secret.slice(6, 30)));
    assert.equal(server.subscribers(), 2);
    assert.equal(server.counters().registrations, 2);
  });

  const url = 'http://127.0.0.1:9/';
  const rows: [what: string, status: number, body: unknown, message: RegExp][] = [
    ['no JSON', 400, 'url=http://x', /a registration is a JSON object: Unexpected token/],
    ['no object', 422, [], /expected object/],
    ['nothing in it', 422, {}, /url: .*; events: /],
    ['no URL', 422, { url: 'here', events: ['a'] }, /url: not a URL/],
    ['another protocol', 422, { url: 'ftp://127.0.0.1/', events: ['a'] }, /url: neither http nor https/],
    [
      'a password in the URL',
      422,
      { url: 'http://me:pw@127.0.0.1/', events: ['a'] },
      /url: it may not contain a user name or password/,
    ],
    [
      'another machine',
      422,
      { url: 'http://10.0.0.1/', events: ['a'] },
      /url: 10\.0\.0\.1 is not among the addresses that deliveries go to: 127\.0\.0\.0\/8, ::1\/128/,
    ],
    [
      'a name of the network',
      422,
      { url: 'https://example.com/', events: ['a'] },
      /url: example\.com is a name; deliveries go to the addresses .* and to localhost only/,
    ],
    ['a URL that is too long', 422, { url: `${url}${'x'.repeat(3000)}`, events: ['a'] }, /url: Too big/],
    ['no topic', 422, { url, events: [] }, /events: Too small/],
    ['a bad topic', 422, { url, events: ['a', 'b c'] }, /events\.1: a topic name of letters, digits and/],
    [
      'too many topics',
      422,
      { url, events: Array.from({ length: 1001 }, (_, i) => `t${i}`) },
      /events: Too big/,
    ],
    [
      'a secret that is too short',
      422,
      { url, events: ['a'], secret: 'whsec_AAAA' },
      /secret: a webhook secret is .* this one holds 3/,
    ],
    ['a key that there is not', 422, { url, events: ['a'], topics: ['a'] }, /Unrecognized key: "topics"/],
    ['far too much', 413, { url, events: ['x'.repeat(300_000)] }, /the body is larger than 262144 bytes/],
  ];
  for (const [what, status, body, message] of rows) {
    test(`of ${what} is refused with ${status}`, async (t) => {
      const { post, server } = await serve(t);
      const answer = await post(typeof body === 'string' ? body : JSON.stringify(body));
      assert.equal(answer.status, status);
      assert.match(answer.body.message, message);
      assert.equal(server.subscribers(), 0);
    });
  }

  test('beyond the limit is refused with 503 until one is removed', async (t) => {
    const { post, register, remove, server } = await serve(t, { limits: { maxSubscribers: 2 } });
    const { id } = await register(url);
    await register(url);
    const answer = await post(JSON.stringify({ url, events: ['a'] }));
    assert.equal(answer.status, 503);
    assert.match(answer.body.message, /2 endpoints are registered, which is the limit; delete one/);
    assert.ok(Number(answer.headers.get('retry-after')) > 0);
    assert.equal(server.counters().refusals, 1);
    assert.equal((await remove(id)).status, 204);
    await register(url);
  });

  test('for more topics than the hub holds is refused and leaves nothing', async (t) => {
    const { post, server } = await serve(t, { limits: { maxTopics: 2 } });
    assert.equal((await post(JSON.stringify({ url, events: ['a', 'b', 'c'] }))).status, 503);
    assert.equal(server.subscribers(), 0);
    assert.equal(server.hub.subscriptions(), 0);
  });

  test('is taken back by its id', async (t) => {
    const { got, url: at } = await receiver(t);
    const { register, remove, list, publish, server } = await serve(t);
    const { id } = await register(at);
    assert.equal((await remove(id)).status, 204);
    assert.deepEqual((await list()).rows, []);
    const again = await remove(id);
    assert.equal(again.status, 404);
    assert.match(again.text, /no webhook has the id .*; GET \/webhooks lists them/);
    await publish('news');
    await sleep(30);
    assert.equal(got.length, 0);
    assert.equal(server.hub.subscriptions(), 0);
  });
});
