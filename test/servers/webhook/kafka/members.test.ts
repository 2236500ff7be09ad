// Checks that nothing is lost while servers come and go, and while Kafka stands still, and what a publisher
// is told when Kafka goes away.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { startKafka } from '../../../kafka-server.ts';
import { scriptKafka } from '../../kafka/scripted-kafka.ts';
import { receiver, until } from '../../receivers.ts';
import { eventually } from '../redis/over-redis.ts';
import { overKafka } from './over-kafka.ts';

type Posting = { post(topic: string): Promise<Response> };

describe('members of the group', { timeout: 120_000, concurrent: true }, () => {
  const { newPlace, serve } = overKafka();

  /** Publishes one event after the other. @returns the confirmed ones, when it is told to end */
  function publishing({ post }: Posting) {
    const confirmed: string[] = [];
    let over = false;
    const ended = (async () => {
      while (!over) {
        const response = await post('news').catch(() => undefined);
        const body = (await response?.json().catch(() => undefined)) as { id: string } | undefined;
        if (response?.status === 201) confirmed.push(body!.id);
        await sleep(10);
      }
    })();
    return async () => {
      over = true;
      await ended;
      return confirmed;
    };
  }

  test('a second server joins and the first leaves: each event comes once', async (t) => {
    const at = await receiver(t);
    const place = newPlace();
    const first = await serve(t, place);
    await first.register(at.url);
    const firstEnds = publishing(first);
    await until('the first delivers', () => at.got.length > 10, 30_000);
    const second = await serve(t, place);
    const secondEnds = publishing(second);
    await until('the second delivers', () => second.server.counters().deliveryRequests > 10, 60_000);
    const confirmed = await firstEnds();
    await first.close();
    const before = at.got.length;
    await until('the second goes on', () => at.got.length > before + 50, 30_000);
    confirmed.push(...(await secondEnds()));
    await eventually('all are made', async () => (await second.stats()).depth === 0);
    assert.deepEqual(at.got.map(({ headers }) => headers['webhook-id']).sort(), confirmed.sort());
  });

  test('Kafka stands still for longer than a session: nothing that was confirmed is lost', async (t) => {
    const at = await receiver(t, (_, count) => (count % 10 === 0 ? 503 : 204));
    const cluster = await startKafka();
    t.onTestFinished(() => cluster.stop());
    const place = newPlace(cluster);
    const retries = ['300ms', '300ms', '1s', '1s'];
    const servers = [await serve(t, place, { retries }), await serve(t, place, { retries })];
    await servers[0]!.register(at.url);
    await eventually('both know it', async () => (await servers[1]!.endpoints()).webhooks.length === 1);
    const ends = servers.map(publishing);
    await until('some came', () => at.got.length > 10, 30_000);
    cluster.freeze();
    await sleep(5000);
    cluster.thaw();
    const before = at.got.length;
    await until('it goes on', () => at.got.length > before + 50, 60_000);
    const confirmed = (await Promise.all(ends.map((end) => end()))).flat();
    const came = () => new Set(at.got.map(({ headers }) => headers['webhook-id']));
    await until('all came', () => confirmed.every((id) => came().has(id)), 60_000);
  });

  test('Kafka goes away before it answers: the publisher is told that the event may be there', async (t) => {
    const kafka = await scriptKafka(t);
    const server = await serve(t, newPlace({ url: `kafka://${kafka.host}` }));
    await server.register((await receiver(t)).url);
    await server.publish('news', '"k1"');
    kafka.goAtNextWrite();
    const codes = [];
    for (const key of ['"k2"', '"k3"']) {
      const answer = await server.post('news', key);
      codes.push([answer.status, ((await answer.json()) as { error: string }).error]);
    }
    // The second did not leave.
    assert.deepEqual(codes, [
      [503, 'unknown'],
      [503, 'store-failed'],
    ]);
  });
});
