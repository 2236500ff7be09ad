// The polling load client against a server of the test: cursor, conditions, answers in pieces, connections.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { nowUs } from '../../core/base/clock.ts';
import { newLog, recorder, startServer, startPolling, until } from './poll-fixture.ts';

describe('a polling subscriber', () => {
  test(
    'fetches the cursor first, then asks from it, with the ' + 'ETag; 304 leaves both as they are',
    async () => {
      const log = newLog();
      await using server = await startServer(log.poll);
      const { context, calls, counters, bodies } = recorder(server.url);
      await using _ = await startPolling(context);
      await until(() => server.asked.length >= 3);
      log.publish('other', '0');
      log.publish('news', '{"a":1}');
      await until(() => bodies().length === 1);
      const { length } = server.asked;
      await until(() => server.asked.length > length + 1);

      const [first, second] = server.asked;
      assert.equal(first!.url.href, 'http://test/poll?topics=news');
      assert.equal(first!.headers['if-none-match'], undefined);
      assert.equal(second!.url.href, 'http://test/poll?topics=news&since=e1-0');
      assert.equal(second!.headers['if-none-match'], '"e1-0"');
      const last = server.asked.at(-1)!;
      assert.equal(last.url.searchParams.get('since'), 'e1-2');
      assert.equal(last.headers['if-none-match'], '"e1-2"');
      assert.deepEqual(bodies(), ['{"a":1}']);
      assert.deepEqual(calls, ['ready 0']);
      assert.equal(counters.connectionsOpened, 1);
    },
  );

  test('counts each answer as a full or an empty poll', async () => {
    const log = newLog();
    await using server = await startServer(log.poll);
    const { context, counters, bodies } = recorder(server.url);
    {
      await using _ = await startPolling(context);
      await until(() => counters.emptyPolls > 0);
      for (let i = 1; i <= 5; i++) {
        log.publish('news', String(i));
        await until(() => bodies().length === i);
      }
    }
    assert.equal(counters.fullPolls, 5);
    assert.equal(counters.fullPolls + counters.emptyPolls, server.asked.length);
    assert.equal(counters.events, 5);
    assert.equal(counters.errors, 0);
  });

  test('gets every event of its topics once and in order, whatever the bodies look like', async () => {
    const log = newLog();
    await using server = await startServer(log.poll);
    const topics = ['a', 'b', 'c'];
    const { context, got, counters } = recorder(server.url, {
      topicsOf: (subscriber) => [topics[subscriber]!, 'all'],
    });
    await using _ = await startPolling(context, { every: 5 }, 3);
    await until(() => counters.emptyPolls >= 3);
    const sent: { topic: string; body: string }[] = [];
    for (const [i, value] of fc.sample(fc.json(), 300).entries()) {
      const [topic, body] = [[...topics, 'all'][i % 4]!, value.replaceAll('\n', ' ')];
      sent.push({ topic, body });
      log.publish(topic, body);
      if (i % 20 === 0) await sleep(3);
    }
    const expected = (subscriber: number) =>
      sent.filter(({ topic }) => topic === topics[subscriber] || topic === 'all').map(({ body }) => body);
    const received = (subscriber: number) =>
      got.filter((one) => one.subscriber === subscriber).map(({ event }) => event.body);
    await until(() => got.length >= 450);
    for (const subscriber of [0, 1, 2]) assert.deepEqual(received(subscriber), expected(subscriber));
  });

  test('reads an answer that comes in pieces, larger than any buffer', async () => {
    const log = newLog();
    await using server = await startServer((request, response, url) => {
      if (!url.searchParams.has('since')) return log.poll(request, response, url);
      const end = response.end.bind(response);
      response.end = ((body?: string) => {
        const bytes = Buffer.from(body ?? '');
        for (let at = 0; at < bytes.length; at += 10_007) response.write(bytes.subarray(at, at + 10_007));
        return end();
      }) as typeof response.end;
      return log.poll(request, response, url);
    });
    const { context, bodies } = recorder(server.url);
    await using _ = await startPolling(context);
    await until(() => server.asked.length >= 2);
    const body = JSON.stringify({ text: 'x"}]'.repeat(60_000) });
    log.publish('news', body);
    log.publish('news', '[]');
    await until(() => bodies().length >= 2);
    assert.deepEqual(bodies(), [body, '[]']);
  });

  test('sends no condition when it is told not to', async () => {
    await using server = await startServer(newLog().poll);
    const { context } = recorder(server.url);
    await using _ = await startPolling(context, { conditional: false });
    await until(() => server.asked.length >= 3);
    assert.ok(server.asked.every(({ headers }) => headers['if-none-match'] === undefined));
  });

  test('opens a connection for each request when it is told to', async () => {
    await using server = await startServer(newLog().poll);
    const { context, counters, problems } = recorder(server.url);
    {
      await using _ = await startPolling(context, { connection: 'close' });
      await until(() => server.asked.length >= 5);
    }
    assert.equal(counters.connectionsOpened, server.asked.length);
    assert.ok(server.asked.every(({ headers }) => headers.connection === 'close'));
    assert.deepEqual(problems, []);
  });

  test('asks below the path of the endpoint', async () => {
    await using server = await startServer(newLog().poll);
    const { context } = recorder(`${server.url}/base/`);
    await using _ = await startPolling(context);
    await until(() => server.asked.length >= 1);
    assert.equal(server.asked[0]!.url.pathname, '/base/poll');
  });
});

describe('the schedule of polls', () => {
  test('keeps its rate although every answer takes most of the interval', async () => {
    const log = newLog();
    await using server = await startServer(
      (request, response, url) => void setTimeout(() => log.poll(request, response, url), 80),
    );
    const { context } = recorder(server.url);
    await using _ = await startPolling(context, { every: 100 });
    await until(() => server.asked.length >= 2);
    const fromMs = performance.now();
    const before = server.asked.length;
    await sleep(2000);
    // 20 by the schedule; 11 had each wait begun with the answer.
    const polls = ((server.asked.length - before) * 2000) / (performance.now() - fromMs);
    assert.ok(polls > 14 && polls < 22, `${polls} polls in 2 s`);
  });

  test('has one request under way at a time, and leaves out what fell due meanwhile', async () => {
    const log = newLog();
    let [now, most] = [0, 0];
    let waitMs = 300;
    await using server = await startServer((request, response, url) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        log.poll(request, response, url);
      }, waitMs);
      waitMs = server.asked.length >= 3 ? 0 : waitMs;
    });
    const { context } = recorder(server.url);
    await using _ = await startPolling(context, { every: 50, jitter: 0 });
    await until(() => server.asked.length >= 12);
    assert.equal(most, 1);
    // The third answer took six intervals. They are not made up for: the polls behind it keep their distance.
    const [fourth, twelfth] = [server.asked[3]!.atMs, server.asked[11]!.atMs];
    assert.ok(twelfth - fourth > 350, `8 polls within ${twelfth - fourth} ms`);
  });

  test('spreads over the interval: the second poll comes after a share of it drawn at random', async () => {
    for (const share of [0.1, 0.9]) {
      await using server = await startServer(newLog().poll);
      const { context } = recorder(server.url, { random: () => share });
      await using _ = await startPolling(context, { every: 400 });
      await until(() => server.asked.length >= 2);
      const gapMs = server.asked[1]!.atMs - server.asked[0]!.atMs;
      if (share < 0.5) assert.ok(gapMs < 300, `${gapMs} ms`);
      else assert.ok(gapMs > 300, `${gapMs} ms`);
    }
  });

  test('differs from the interval by the jitter, on both sides of it', async () => {
    const values = [0.5, 0, 1, 0, 1];
    await using server = await startServer(newLog().poll);
    const { context } = recorder(server.url, { random: () => values.shift() ?? 0.5 });
    await using _ = await startPolling(context, { every: 200, jitter: 0.75 });
    await until(() => server.asked.length >= 6);
    const gaps = server.asked
      .slice(1, 6)
      .map(({ atMs }, i, all) => (i === 0 ? 0 : atMs - all[i - 1]!.atMs))
      .slice(1);
    // 200 x 0.25, 200 x 1.75, and again.
    for (const [i, gapMs] of gaps.entries())
      assert.ok(i % 2 === 0 ? gapMs < 180 : gapMs > 220, `gaps ${gaps}`);
  });

  test('makes the mean delay of an event half the interval', async () => {
    const log = newLog();
    await using server = await startServer(log.poll);
    const { context, got, counters } = recorder(server.url);
    await using _ = await startPolling(context, { every: 200 }, 100);
    await until(() => counters.emptyPolls >= 200);
    const polls = () => counters.emptyPolls + counters.fullPolls;
    const [fromUs, before] = [nowUs(), polls()];
    for (let i = 0; i < 25; i++) {
      log.publish('news', String(i), nowUs());
      await sleep(37);
    }
    await until(() => got.length === 2500);
    const meanMs = got.reduce((sum, { event, atUs }) => sum + atUs - event.plannedUs, 0) / got.length / 1000;
    // As often as this machine let them ask. The mean of 100 even phases has a standard error of 3 %.
    const intervalMs = ((nowUs() - fromUs) / 1000) * (100 / (polls() - before));
    const share = meanMs / intervalMs;
    assert.ok(share > 0.35 && share < 0.65, `${meanMs} ms of ${intervalMs} ms`);
  });
});
