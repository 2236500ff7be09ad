// Starts whole servers on brokers: their processes as the harness does, what they count of what they lack,
// what they refuse, and how much a broker keeps.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { test, type TestContext } from 'vitest';
import type { BrokerAccess, Endpoint, ServerReport } from '../../../core/protocol/control.ts';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { brokersWithOneLog } from '../../../core/scenario/servers.ts';
import { startServer } from '../../../servers/start.ts';
import { accessTo, brokerKinds, type BrokerKind } from '../../broker-servers.ts';
import { skipWhen } from '../../skip.ts';
import { join, topics, until } from './hubs.ts';

const optionsOf = (pattern: PatternName) => patterns[pattern].options.parse({});

async function forkServer(t: TestContext, broker: BrokerAccess) {
  const child = fork(new URL('../../../servers/process.ts', import.meta.url), {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.onTestFinished(() => void child.kill('SIGKILL'));
  const next = async (): Promise<ServerReport> => ((await once(child, 'message')) as [ServerReport])[0];
  const options = optionsOf('polling');
  child.send({ kind: 'start', pattern: 'polling', options, limits: defaultLimits, seed: 1, broker });
  const listening = await next();
  assert.equal(listening.kind, 'listening');
  const { endpoint } = listening as { endpoint: Endpoint }; // of that report
  return {
    endpoint,
    async sample() {
      child.send({ kind: 'sample' });
      return (await next()) as Extract<ServerReport, { kind: 'sample' }>;
    },
    async stop() {
      child.send({ kind: 'stop' });
      await once(child, 'exit');
    },
  };
}

const post = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/topics/a`, { method: 'POST', body: '1', headers });

test('scenarios and simulations know which brokers have one order of all events', () => {
  const kinds = Object.keys(brokerKinds) as BrokerKind[];
  assert.deepEqual(
    kinds.filter((kind) => brokerKinds[kind].order),
    brokersWithOneLog,
  );
});

test('two processes: one event for two servers, and each says what a broker never brought it', async (t) => {
  skipWhen(t, brokerKinds['redis-pubsub'].absent);
  const broker = await brokerKinds['redis-pubsub'].start();
  t.onTestFinished(broker.stop);
  const access = accessTo('redis-pubsub', broker);
  const one = await forkServer(t, access);
  const other = await forkServer(t, access);
  const headers = { 'pushbench-seq': '5', 'idempotency-key': '"a-5"' };
  const answers = await Promise.all(
    [one, other].map(async ({ endpoint }) => (await post(endpoint.publishUrl, headers)).json()),
  );
  assert.deepEqual(answers[0], answers[1]);
  assert.equal((answers[0] as { seq: number }).seq, 5);

  // What is published past the servers leaves a gap in the offsets.
  const redis = new Redis(broker.url);
  t.onTestFinished(() => redis.disconnect());
  await redis.hincrby(`${access.name}:log`, 'offset', 3);
  await post(one.endpoint.publishUrl);
  for (const server of [one, other]) {
    let sample = await server.sample();
    for (let i = 0; i < 500 && sample.publishedEvents < 5; i++) sample = await server.sample();
    assert.deepEqual([sample.publishedEvents, sample.counters.brokerGaps], [5, 3]);
    await server.stop();
  }
});

test('a server without its broker answers 503 and says which broker that is', async (t) => {
  skipWhen(t, brokerKinds.jetstream.absent);
  const broker = await brokerKinds.jetstream.start();
  t.onTestFinished(broker.stop);
  const server = await startServer({
    pattern: 'sse',
    options: optionsOf('sse'),
    limits: defaultLimits,
    seed: 1,
    broker: accessTo('jetstream', broker),
  });
  t.onTestFinished(() => server.close());
  assert.equal((await post(server.endpoint.publishUrl)).status, 201);
  await broker.kill();
  const answer = await post(server.endpoint.publishUrl);
  assert.equal(answer.status, 503);
  assert.ok(answer.headers.has('retry-after'));
  const { error, message } = (await answer.json()) as { error: string; message: string };
  assert.ok(['broker-away', 'unknown'].includes(error));
  assert.match(message, /NATS at 127\.0\.0\.1:\d+, which connects the servers/);
});

test('webhooks share a store and not a broker, and a connected server is not made worse', async () => {
  const broker: BrokerAccess = { kind: 'nats', url: 'nats://127.0.0.1:1', name: 'none' };
  const given = { limits: defaultLimits, seed: 1, broker };
  await assert.rejects(
    startServer({ ...given, pattern: 'webhook', options: optionsOf('webhook') }),
    /webhook servers share a store \(store: redis\).*leave the broker out/,
  );
  await assert.rejects(
    startServer({ ...given, pattern: 'sse', options: optionsOf('sse'), injection: { delayMs: 5 } }),
    /cannot be made worse on purpose/,
  );
});

test('the stream in Redis is bounded, and a server that starts knows where it begins', async (t) => {
  skipWhen(t, brokerKinds['redis-streams'].absent);
  const broker = await brokerKinds['redis-streams'].start();
  t.onTestFinished(broker.stop);
  const access = accessTo('redis-streams', broker);
  const redis = new Redis(broker.url);
  t.onTestFinished(() => redis.disconnect());
  const limits = { history: 2, historySize: 20 * 1024 ** 2 };
  const member = await join(t, access, limits);
  await Promise.all(Array.from({ length: 1200 }, () => member.hub.publish('a', '1', {})));
  assert.equal(await redis.xlen(`${access.name}:stream`), 1000);
  const body = JSON.stringify('x'.repeat(1024 ** 2));
  for (let i = 0; i < 25; i++) await member.hub.publish('b', body, {});
  assert.equal(await redis.xlen(`${access.name}:stream`), 19);
  const late = await join(t, access, limits);
  await until('it has what is kept', () => late.hub.cursor() === member.hub.cursor());
  const kept = (at: number) => late.hub.since(topics, `${late.hub.epoch}-${at}`);
  assert.deepEqual([kept(1205).lost, kept(1223).lost], [true, false]);
  assert.equal(late.hub.skipped(), 0);
});
