// Checks that several servers on one Redis share endpoints and work, and that one takes over from another
// that is killed.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { describe, test } from 'vitest';
import { receiver, until } from '../../receivers.ts';
import { apiOf } from '../client.ts';
import { eventually, overRedis } from './over-redis.ts';

describe('several servers on one Redis', () => {
  const { newUrl, serve } = overRedis();

  test('two servers share endpoints and work', async (t) => {
    const at = await receiver(t);
    const url = newUrl();
    const one = await serve(t, url);
    const two = await serve(t, url);
    const { id } = await one.register(at.url);
    await eventually(
      'the other knows the endpoint',
      async () => (await two.endpoints()).webhooks.length === 1,
    );
    const ids = await Promise.all(
      Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? one : two).publish('news')),
    );
    await until('all came', () => at.got.length === 100);
    assert.deepEqual(at.got.map(({ headers }) => headers['webhook-id']).sort(), [...ids].sort());
    assert.ok(
      one.server.counters().deliveryRequests > 0 && two.server.counters().deliveryRequests > 0,
      'both made some',
    );
    await eventually(
      'all are entered',
      async () => (await one.deliveries('?state=delivered&limit=500')).deliveries.length === 100,
    );
    await two.remove(id);
    await eventually('it is gone', async () => (await one.endpoints()).webhooks.length === 0);
  });

  test(
    'what is published the moment another server has registered ' + 'or enabled an endpoint is not cancelled',
    async (t) => {
      const at = await receiver(t);
      const url = newUrl();
      const servers = [await serve(t, url), await serve(t, url)] as const;
      const ids: string[] = [];
      for (let i = 0; i < 10; i++) {
        // Either server may take the delivery up, and only one of them has heard of the endpoint.
        const here = servers[i % 2]!;
        const { id } = await here.register(`${at.url}/${i}`, [`t${i}`]);
        for (let j = 0; j < 4; j++) ids.push(await here.publish(`t${i}`));
        await until('they came', () => at.got.length === ids.length);
        await here.change(id, { enabled: false });
        await eventually('both know that', async () =>
          (await Promise.all(servers.map((one) => one.endpoints()))).every(({ webhooks }) =>
            webhooks.some((one) => one.id === id && one.disabled !== undefined),
          ),
        );
        await here.change(id, { enabled: true });
        for (let j = 0; j < 4; j++) ids.push(await here.publish(`t${i}`));
      }
      await until('those came too', () => at.got.length === ids.length);
      assert.deepEqual(at.got.map(({ headers }) => headers['webhook-id']).sort(), [...ids].sort());
      assert.deepEqual((await servers[0].deliveries('?state=cancelled')).deliveries, []);
    },
  );

  test(
    'an endpoint that one server removes does not come back ' + 'by what another makes of it meanwhile',
    async (t) => {
      const answer = Promise.withResolvers<number>();
      const at = await receiver(t, () => answer.promise);
      const url = newUrl();
      const one = await serve(t, url);
      const { id } = await one.register(at.url);
      await one.publish('news');
      await until('it is under way', () => at.got.length === 1);
      const two = await serve(t, url);
      assert.equal((await two.endpoints()).webhooks.length, 1);
      await two.remove(id);
      answer.resolve(410); // disables the endpoint at the first server, which may not have heard yet
      assert.equal((await one.call('PATCH', `/webhooks/${id}`, { events: ['other'] })).status, 404);
      await eventually('the attempt is over', async () => (await one.stats()).underWay === 0);
      await eventually('it is gone there too', async () => (await one.endpoints()).webhooks.length === 0);
      assert.deepEqual((await two.endpoints()).webhooks, []);
    },
  );

  test('what a killed server had under way, another does', { timeout: 60_000 }, async (t) => {
    const hung = new Set<() => void>();
    let slow = true;
    const at = await receiver(t, () => (slow ? new Promise((resolve) => hung.add(() => resolve(204))) : 204));
    const url = newUrl();
    const child = fork(
      new URL('../kill-server.ts', import.meta.url),
      [JSON.stringify({ store: 'redis', redis: url })],
      { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    );
    t.onTestFinished(() => void child.kill('SIGKILL'));
    const line = await new Promise<string>((resolve) =>
      child.stdout!.setEncoding('utf8').once('data', resolve),
    );
    const first = (JSON.parse(line) as { url: string }).url;
    await apiOf(first).register(at.url);
    const ids = new Set<string>();
    for (let i = 0; i < 10; i++)
      ids.add(
        (
          (await (await fetch(`${first}/topics/news`, { method: 'POST', body: '{}' })).json()) as {
            id: string;
          }
        ).id,
      );
    await until('some are under way', () => hung.size > 0);
    child.kill('SIGKILL');
    slow = false;
    at.got.length = 0;
    await serve(t, url);
    await until(
      'all came',
      () => new Set(at.got.map(({ headers }) => headers['webhook-id'])).size === 10,
      30_000,
    );
    assert.deepEqual(new Set(at.got.map(({ headers }) => headers['webhook-id'])), ids);
  });
});
