// The long-polling load client against a server of the test: cursor, holds, cuts and connections.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { patterns, type PatternOptions } from '../../core/pattern/registry.ts';
import { longPolling } from '../../load/long-polling.ts';
import type { LoadContext } from '../../load/pattern.ts';
import { newLog, recorder, startServer, until } from './poll-fixture.ts';

async function start(
  context: LoadContext,
  changes: Partial<PatternOptions<'long-polling'>> = {},
  subscribers = 1,
) {
  const load = await longPolling.start(context, {
    ...patterns['long-polling'].options.parse({}),
    ...changes,
  });
  for (let subscriber = 0; subscriber < subscribers; subscriber++) load.open(subscriber);
  return { [Symbol.asyncDispose]: () => load.close(1000), load };
}

describe('a long-polling subscriber', () => {
  test('fetches the cursor, then always has a request under way, with the hold', async () => {
    const log = newLog();
    await using server = await startServer(log.longPoll);
    const { context, calls, bodies } = recorder(server.url);
    await using _ = await start(context);
    await until(() => server.asked.length === 2);
    assert.deepEqual(calls, ['ready 0']);
    await sleep(50);
    assert.equal(server.asked.length, 2);
    log.publish('news', '{"n":1}');
    await until(() => server.asked.length === 3);
    assert.deepEqual(bodies(), ['{"n":1}']);
    assert.deepEqual(
      server.asked.map(({ url }) => url.href),
      [
        'http://test/long-poll?topics=news&hold=25000',
        'http://test/long-poll?topics=news&since=e1-0&hold=25000',
        'http://test/long-poll?topics=news&since=e1-1&hold=25000',
      ],
    );
  });

  test('loses nothing between two requests, and gets everything once and in order', async () => {
    const log = newLog();
    await using server = await startServer(log.longPoll);
    const { context, got, counters } = recorder(server.url, {
      topicsOf: (subscriber) => [`own.${subscriber}`, 'all'],
    });
    await using _ = await start(context, {}, 5);
    await until(() => server.asked.length === 10);
    const bodies = fc.sample(fc.json(), 200).map((body) => body.replaceAll('\n', ' '));
    for (const [i, body] of bodies.entries()) {
      log.publish(i % 2 === 0 ? 'all' : `own.${i % 5}`, body);
      if (i % 7 === 0) await sleep(1);
    }
    const expected = (subscriber: number) => bodies.filter((_, i) => i % 2 === 0 || i % 5 === subscriber);
    await until(() => got.length >= 100 * 5 + 100);
    for (const subscriber of [0, 1, 2, 3, 4]) {
      assert.deepEqual(
        got.filter((one) => one.subscriber === subscriber).map(({ event }) => event.body),
        expected(subscriber),
      );
    }
    assert.equal(counters.events, 600);
  });

  test('asks again from the cursor of a 204 when the hold is over', async () => {
    const log = newLog();
    await using server = await startServer(log.longPoll);
    const { context, counters, calls, bodies } = recorder(server.url);
    {
      await using _ = await start(context, { hold: 30 });
      await until(() => server.asked.length === 3);
      // Not one of its topics, but the log went on, and with it the cursor.
      log.publish('other', '1');
      await until(() => server.asked.at(-1)!.url.searchParams.get('since') === 'e1-1');
      log.publish('news', '2');
      await until(() => bodies().length === 1);
    }
    assert.deepEqual(calls, ['ready 0']);
    assert.equal(counters.fullPolls, 1);
    assert.ok(counters.emptyPolls >= 3);
  });

  test('counts as re-arms the polls behind the first', async () => {
    const log = newLog();
    await using server = await startServer(log.longPoll);
    const { context, counters } = recorder(server.url);
    await using _ = await start(context, { hold: 10 }, 3);
    await until(() => counters.rearms >= 20);
    assert.equal(counters.rearms, counters.fullPolls + counters.emptyPolls - 3);
  });

  test('opens a connection for each request when it is told to', async () => {
    const log = newLog();
    await using server = await startServer(log.longPoll);
    const { context, counters } = recorder(server.url);
    await using _ = await start(context, { hold: 10, connection: 'close' });
    await until(() => server.asked.length >= 6);
    assert.ok(
      counters.connectionsOpened >= 6 && server.asked.every(({ headers }) => headers.connection === 'close'),
    );
  });
});

describe('when a held request is cut off', () => {
  test(
    'it is repeated from the same cursor after a wait, and ' + 'what was published meanwhile arrives',
    async () => {
      const log = newLog();
      const sockets = new Set<Socket>();
      await using server = await startServer((request, response, url) => {
        sockets.add(request.socket);
        log.longPoll(request, response, url);
      });
      const { context, calls, bodies, counters } = recorder(server.url, {
        reconnect: { base: 400, cap: 400 },
        random: () => 0.5,
      });
      await using _ = await start(context);
      await until(() => server.asked.length === 2);
      // Right after the request it might be the server's idle timeout, which is not waited for.
      await sleep(50);
      for (const socket of sockets) socket.destroy();
      await until(() => calls.includes('lost 0'));
      log.publish('news', '1');
      await until(() => bodies().length === 1);
      assert.deepEqual(calls, ['ready 0', 'lost 0', 'ready 0']);
      assert.equal(server.asked[2]!.url.searchParams.get('since'), 'e1-0');
      assert.equal(counters.reconnects, 1);
      // Half of 400 ms, as the random number says.
      const waitedMs = server.asked[2]!.atMs - server.asked[1]!.atMs;
      assert.ok(waitedMs > 190, `${waitedMs} ms`);
    },
  );
});

describe('closing', () => {
  test('cuts held requests off at once and leaves no connection', async () => {
    const log = newLog();
    await using server = await startServer(log.longPoll);
    const { context, problems, calls } = recorder(server.url);
    const { load } = await start(context, {}, 10);
    await until(() => server.asked.length === 20);
    const fromMs = performance.now();
    await load.close(5000);
    assert.ok(performance.now() - fromMs < 4000);
    for (let left = 1; left > 0; left = await server.connections()) await sleep(5);
    await sleep(50);
    assert.equal(server.asked.length, 20);
    assert.deepEqual(problems, []);
    assert.ok(!calls.includes('lost 0'));
  });
});
