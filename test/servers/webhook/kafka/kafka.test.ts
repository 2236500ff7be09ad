// Checks delivery over Kafka on what stands in for it: retries, dead letters and what comes back from their
// topic, events with many receivers, several servers, and topics that are refused.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { receiver, until } from '../../receivers.ts';
import { eventually } from '../redis/over-redis.ts';
import { countIn, firstIn, overKafka, put } from './over-kafka.ts';

const idsOf = (got: readonly { headers: Record<string, unknown> }[]) =>
  got.map(({ headers }) => headers['webhook-id']);

/** A server is a member of its group, which takes seconds to form. */
const joinMs = 30_000;

describe('over Kafka', { timeout: 120_000, concurrent: true }, () => {
  const { newPlace, serve } = overKafka();

  test('a failed delivery is tried again, becomes a dead letter, and is replayed', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 503));
    const place = newPlace();
    const server = await serve(t, place, { retries: ['20ms', '1500ms'] });
    assert.match(server.server.emulator!, /emulator of Kafka/);
    const { id } = await server.register(at.url);
    const event = await server.publish('news');
    await eventually('it is dead', async () => (await server.stats()).deadLetters === 1);
    assert.equal(at.got.length, 3);
    assert.ok(at.got[2]!.atMs - at.got[1]!.atMs >= 1490, 'not before it was due');
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
    await eventually('there is a copy', async () => (await countIn(place, '.dead')) === 1);
    healthy = true;
    await server.replay(dead!.id);
    await eventually('it was delivered', async () => (await server.delivery(dead!.id)).state === 'delivered');
    assert.equal((await server.stats()).deadLetters, 0);
    assert.deepEqual(idsOf(at.got), Array(4).fill(event));
    // Its copy comes back after it was delivered: there is nothing more to do.
    await put(place, await firstIn(place, '.dead'));
    await server.publish('news');
    await until('what came behind it was sent', () => at.got.length === 5);
    assert.notEqual(idsOf(at.got).at(-1), event);
  });

  test('a dead letter that is written back is sent again', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 503));
    const place = newPlace();
    const server = await serve(t, place, { retries: [] });
    await server.register(at.url);
    const event = await server.publish('news');
    await eventually('it is dead', async () => (await countIn(place, '.dead')) === 1);
    healthy = true;
    await put(place, await firstIn(place, '.dead'));
    await eventually('it was delivered', async () => (await server.stats()).delivered === 1);
    assert.deepEqual(idsOf(at.got), [event, event]);
  });

  test('an event with many receivers reaches each, whichever server publishes or delivers', async (t) => {
    const at = await receiver(t);
    const place = newPlace();
    const servers = [await serve(t, place), await serve(t, place)] as const;
    for (let i = 0; i < 25; i++) await servers[0].register(`${at.url}/${i}`);
    await eventually(
      'the other knows them',
      async () => (await servers[1].endpoints()).webhooks.length === 25,
    );
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => servers[i % 2]!.publish('news')));
    await until('all came', () => at.got.length >= 200, joinMs);
    await eventually('all are made', async () => (await servers[0].stats()).depth === 0);
    const expected = ids.flatMap((id) => Array.from({ length: 25 }, (_, i) => `/${i} ${id}`));
    assert.deepEqual(
      at.got.map(({ path, headers }) => `${path} ${String(headers['webhook-id'])}`).sort(),
      expected.sort(),
    );
  });

  test('what a disabled endpoint missed is recovered', async (t) => {
    const at = await receiver(t);
    const server = await serve(t, newPlace());
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

  test('a repeated Idempotency-Key is one event, and a message that is not ours is kept apart', async (t) => {
    const at = await receiver(t);
    const place = newPlace();
    await put(place, 'hello');
    const servers = [await serve(t, place), await serve(t, place)] as const;
    await servers[0].register(at.url);
    await eventually('both know it', async () => (await servers[1].endpoints()).webhooks.length === 1);
    const first = await servers[0].publish('news', '"k1"');
    assert.equal(await servers[1].publish('news', '"k1"'), first);
    assert.equal((await servers[1].post('news', '"k1"', '{"other":1}')).status, 422);
    const last = await servers[1].publish('news', '"k2"');
    await until('they came', () => at.got.length === 2, joinMs);
    assert.deepEqual(idsOf(at.got).sort(), [first, last].sort());
    await eventually('the other is apart', async () => (await countIn(place, '.dead')) === 1);
    assert.equal(await firstIn(place, '.dead'), 'hello');
  });

  test('a topic is refused that nobody names, or where nothing answers', async (t) => {
    const refusal = (change: Record<string, unknown>) =>
      serve(t, newPlace(), change).then(
        () => assert.fail('it was taken'),
        (error: Error) => error.message,
      );
    assert.match(await refusal({ kafka: '' }), /needs the address of a topic/);
    assert.match(
      await refusal({ kafka: 'kafka://127.0.0.1:1/hooks' }),
      /topic hooks at 127.0.0.1:1 cannot be used \(.*ECONNREFUSED.*make these: hooks, hooks.wait-250ms, /,
    );
  });
});
