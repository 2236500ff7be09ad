// Checks delivery over SQS on an emulator: retries, dead letters and what comes back from their queue, events
// with many receivers, order, several servers, and queues that are refused.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { receiver, until } from '../../receivers.ts';
import { eventually } from '../redis/over-redis.ts';
import { overSqs } from './over-sqs.ts';
import { sqsProxy } from './sqs-proxy.ts';

const idsOf = (got: readonly { headers: Record<string, unknown> }[]) =>
  got.map(({ headers }) => headers['webhook-id']);

describe('over SQS', { timeout: 60_000 }, () => {
  const { newPlace, serve, server: sqs } = overSqs();

  test('the emulator listens on loopback alone', () => {
    assert.equal(sqs().address.address, '127.0.0.1');
  });

  test('a failed delivery is tried again, becomes a dead letter, and is replayed', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 503));
    const place = await newPlace();
    const server = await serve(t, place, { retries: ['20ms', '1500ms'] });
    const { id } = await server.register(at.url);
    const event = await server.publish('news');
    await eventually('it is dead', async () => (await server.stats()).deadLetters === 1);
    assert.equal(at.got.length, 3);
    assert.ok(at.got[2]!.atMs - at.got[1]!.atMs >= 1500, 'not before it was due');
    const [dead] = (await server.deliveries(`?state=exhausted&endpoint=${id}`)).deliveries;
    const detail = await server.delivery(dead!.id);
    assert.deepEqual(
      detail.attemptLog.map(({ attempt, status }) => [attempt, status]),
      [
        [1, 503],
        [2, 503],
        [3, 503],
      ],
    );
    assert.match(detail.body, /"topic":"news"/);
    await eventually('its queue is empty', async () => (await sqs().count(place.sqs)) === 0);
    assert.equal(await sqs().count(place.sqsDeadLetters), 1);
    healthy = true;
    await server.replay(dead!.id);
    await eventually('it was delivered', async () => (await server.delivery(dead!.id)).state === 'delivered');
    assert.equal((await server.stats()).deadLetters, 0);
    assert.deepEqual(idsOf(at.got), Array(4).fill(event));
    assert.deepEqual(
      (await server.events()).events.map((one) => [one.id, one.deliveries]),
      [[event, 1]],
    );
    // Its copy comes back after it was delivered: there is nothing more to do.
    await sqs().put(place.sqs, (await sqs().takeOne(place.sqsDeadLetters))!);
    await eventually('it is done with', async () => (await sqs().count(place.sqs)) === 0);
    assert.equal(at.got.length, 4);
  });

  test('a dead letter that is moved back from its queue is sent again', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 503));
    const place = await newPlace();
    const server = await serve(t, place, { retries: [] });
    await server.register(at.url);
    const event = await server.publish('news');
    await eventually('it is dead', async () => (await sqs().count(place.sqsDeadLetters)) === 1);
    healthy = true;
    await sqs().put(place.sqs, (await sqs().takeOne(place.sqsDeadLetters))!);
    await eventually('it was delivered', async () => (await server.stats()).delivered === 1);
    assert.deepEqual(idsOf(at.got), [event, event]);
  });

  test('an event with many receivers reaches each, whichever server publishes or delivers', async (t) => {
    const at = await receiver(t);
    const place = await newPlace();
    const servers = [await serve(t, place), await serve(t, place)] as const;
    for (let i = 0; i < 25; i++) await servers[0].register(`${at.url}/${i}`);
    await eventually(
      'the other knows them',
      async () => (await servers[1].endpoints()).webhooks.length === 25,
    );
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => servers[i % 2]!.publish('news')));
    await eventually('all are made', async () => (await servers[0].stats()).depth === 0);
    const expected = ids.flatMap((id) => Array.from({ length: 25 }, (_, i) => `/${i} ${id}`));
    assert.deepEqual(
      at.got.map(({ path, headers }) => `${path} ${String(headers['webhook-id'])}`).sort(),
      expected.sort(),
    );
    await eventually('the queue is empty', async () => (await sqs().count(place.sqs)) === 0);
    const made = servers.map(({ server }) => server.counters().deliveryRequests);
    assert.equal(made[0]! + made[1]!, 200);
  });

  test('what a disabled endpoint missed is recovered', async (t) => {
    const at = await receiver(t);
    const server = await serve(t, await newPlace());
    const { id } = await server.register(at.url);
    await server.change(id, { enabled: false });
    const ids = [await server.publish('news'), await server.publish('news')];
    await eventually(
      'they are cancelled',
      async () => (await server.deliveries('?state=cancelled')).deliveries.length === 2,
    );
    await server.change(id, { enabled: true });
    const { recovered } = await server.recover(id, { since: new Date(Date.now() - 60_000).toISOString() });
    assert.equal(recovered, 2);
    await until('they came', () => at.got.length === 2);
    assert.deepEqual(idsOf(at.got).sort(), ids.sort());
  });

  test('a repeated Idempotency-Key is one event', async (t) => {
    const at = await receiver(t);
    const place = await newPlace();
    const servers = [await serve(t, place), await serve(t, place)] as const;
    await servers[0].register(at.url);
    await eventually('both know it', async () => (await servers[1].endpoints()).webhooks.length === 1);
    const first = await servers[0].publish('news', '"k1"');
    assert.equal(await servers[1].publish('news', '"k1"'), first);
    assert.equal((await servers[1].post('news', '"k1"', '{"other":1}')).status, 422);
    const last = await servers[1].publish('news', '"k2"');
    await until('they came', () => at.got.length === 2);
    assert.deepEqual(idsOf(at.got).sort(), [first, last].sort());
  });

  test('a FIFO queue keeps the order of each endpoint, and a failure holds up its own alone', async (t) => {
    let failures = 0;
    const at = await receiver(t, ({ path }) => (path === '/bad' && failures++ < 2 ? 503 : 204));
    const place = await newPlace('.fifo');
    const given = { fifo: true, retries: ['1s', '1s'] };
    const servers = [await serve(t, place, given), await serve(t, place, given)] as const;
    await servers[0].register(`${at.url}/bad`);
    await servers[0].register(`${at.url}/good`);
    const ids: string[] = [];
    for (let i = 0; i < 10; i++) ids.push(await servers[0].publish('news'));
    await eventually('all are made', async () => (await servers[0].stats()).depth === 0);
    const cameTo = (path: string) => idsOf(at.got.filter((one) => one.path === path));
    assert.deepEqual(cameTo('/good'), ids);
    assert.deepEqual(cameTo('/bad'), [ids[0], ids[0], ...ids]);
  });

  for (const text of ['hello', '{"pushbench":1}']) {
    test(`a message that is not ours (${text}) is kept apart`, async (t) => {
      const at = await receiver(t);
      const place = await newPlace();
      await sqs().put(place.sqs, text);
      const server = await serve(t, place);
      await server.register(at.url);
      await server.publish('news');
      await until('ours came', () => at.got.length === 1);
      await eventually('the other is apart', async () => (await sqs().count(place.sqsDeadLetters)) === 1);
      assert.equal(await sqs().takeOne(place.sqsDeadLetters), text);
    });
  }

  test('a test event is answered, and then not pending, although nothing settled is kept', async (t) => {
    const at = await receiver(t);
    const server = await serve(t, await newPlace(), { keep: 0 });
    const { id } = await server.register(at.url);
    for (let i = 1; i <= 10; i++) {
      const sent = await server.sendTest(id);
      assert.deepEqual([sent.id, sent.endpoint, sent.topic], [String(i), id, 'webhook.test']);
    }
    await eventually('all are made', async () => (await server.stats()).delivered === 10);
    await eventually('none is pending', async () => (await server.stats()).depth === 0);
  });

  test('an event of which nobody knows whether the queue has it is pending only if it has', async (t) => {
    const at = await receiver(t);
    const place = await newPlace();
    const proxy = await sqsProxy(t, sqs().address);
    const server = await serve(t, proxy.before(place));
    await server.register(`${at.url}/1`);
    await server.register(`${at.url}/2`);
    const unknown = async () => {
      const response = await server.post('news');
      assert.equal(response.status, 503);
      assert.equal(((await response.json()) as { error: string }).error, 'unknown');
    };
    proxy.lose('requests', 3);
    await unknown();
    const { depth, oldestAgeMs } = await server.stats();
    assert.deepEqual([depth, oldestAgeMs], [0, 0]);
    assert.deepEqual((await server.deliveries()).deliveries, []);
    proxy.lose('answers', 3);
    await unknown();
    await eventually('both were sent', async () => (await server.stats()).delivered === 2);
    await eventually('the queue is empty', async () => (await sqs().count(place.sqs)) === 0);
    assert.deepEqual(at.got.map(({ path }) => path).sort(), ['/1', '/2']);
    assert.equal((await server.stats()).depth, 0);
    const { events } = await server.events();
    assert.deepEqual(
      events.map(({ deliveries }) => deliveries),
      [2],
    );
  });

  test('where a test event, a replay or a recovery may be in the queue, its client is told', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 503));
    const proxy = await sqsProxy(t, sqs().address);
    const server = await serve(t, proxy.before(await newPlace()), { retries: [] });
    const { id } = await server.register(at.url);
    await server.publish('news');
    await eventually('it is dead', async () => (await server.stats()).deadLetters === 1);
    const [dead] = (await server.deliveries()).deliveries;
    const since = new Date(Date.now() - 60_000).toISOString();
    proxy.lose('requests', 9); // each is sent three times
    for (const [path, body] of [
      [`/webhooks/${id}/test`],
      [`/webhooks/deliveries/${dead!.id}/replay`],
      [`/webhooks/${id}/recover`, { since }],
    ] as const) {
      const { status, body: said } = await server.call('POST', path, body);
      const { error, message } = said as { error: string; message: string };
      assert.deepEqual([path, status, error], [path, 503, 'unknown']);
      assert.match(message, /GET \/webhooks\/deliveries shows what is being sent; ask again for the rest/);
    }
    healthy = true;
    assert.equal((await server.recover(id, { since })).recovered, 1);
    await eventually('it was delivered', async () => (await server.stats()).delivered === 1);
  });

  describe('a queue is refused', () => {
    const refusal = async (t: Parameters<typeof serve>[0], change: Record<string, unknown>) =>
      serve(t, await newPlace(), change).then(
        () => assert.fail('it was taken'),
        (error: Error) => error.message,
      );

    test('that does not exist, or that nobody names', async (t) => {
      assert.match(
        await refusal(t, { sqs: sqs().urlOf('nowhere') }),
        /nowhere cannot be used .*QueueDoesNotExist/,
      );
      assert.match(await refusal(t, { sqs: 'http://127.0.0.1:1/0/q' }), /cannot be used \(ECONNREFUSED/);
      assert.match(await refusal(t, { sqs: '' }), /needs the URL of a queue/);
    });

    test('whose redrive policy would take deliveries away', async (t) => {
      const deadLetterTargetArn = 'arn:aws:sqs:us-east-1:000000000000:other';
      await sqs().create('other');
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 3 });
      const url = await sqs().create('redriven', { RedrivePolicy });
      assert.match(await refusal(t, { sqs: url }), /has a redrive policy/);
    });

    test('without credentials, before anything is asked', async (t) => {
      const message = await refusal(t, {
        sqs: 'https://sqs.eu-central-1.amazonaws.com/1/q',
        sqsDeadLetters: '',
      });
      assert.match(message, /AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set/);
    });
  });
});
