// Starts real brokers as a trial does, and does to them what faults do: each answers, comes back on the same
// port with what it keeps, and leaves neither process nor folder. Clients are other people's.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import { afterAll, test } from 'vitest';
import { TrialFailure } from '../../../harness/process/peer.ts';
import { answers } from '../../../harness/cluster/broker-answers.ts';
import { brokerVersion, createBroker } from '../../../harness/cluster/brokers.ts';
import { createEmulator, emulatorName } from '../../../harness/cluster/emulators.ts';
import { noKafka } from '../../kafka-server.ts';
import { skipWhen } from '../../skip.ts';

const kinds = ['redis-pubsub', 'redis-streams', 'nats', 'jetstream'] as const;
type Kind = (typeof kinds)[number];

const programOf = (kind: Kind) => (kind.startsWith('redis') ? 'redis-server' : 'nats-server');
const absent = (kind: Kind) =>
  spawnSync(programOf(kind), ['--version']).status === 0
    ? false
    : `${programOf(kind)} is not installed (Debian: apt-get install ${programOf(kind)})`;

/** Where brokers of these tests keep their folders, and nobody else's do. */
const place = mkdtempSync(join(tmpdir(), 'pushbench-brokers-'));
process.env['TMPDIR'] = place;
afterAll(() => rmSync(place, { recursive: true }));

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** One that gives up at once. */
function clientOf(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => {}); // the request says it
  return redis;
}

/** Puts one thing in. */
async function put(kind: Kind, url: string): Promise<void> {
  if (kind.startsWith('redis')) {
    const redis = clientOf(url);
    await redis.xadd('stream', '*', 'event', '1').finally(() => redis.disconnect());
    return;
  }
  const nats = await connectNats({ servers: url, reconnect: false, timeout: 2000 });
  if (kind === 'jetstream') {
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: 'events', subjects: ['events'] });
    await manager.jetstream().publish('events', 'one');
  }
  await nats.close();
}

/** How many of it are there. */
async function count(kind: Kind, url: string): Promise<number> {
  if (kind.startsWith('redis')) {
    const redis = clientOf(url);
    const length = await redis.xlen('stream');
    redis.disconnect();
    return length;
  }
  const nats = await connectNats({ servers: url, reconnect: false, timeout: 2000 });
  if (kind === 'nats') {
    await nats.close();
    return 0;
  }
  const manager = await jetstreamManager(nats);
  const { state } = await manager.streams.info('events');
  await nats.close();
  return state.messages;
}

test.for(kinds)('%s comes back after a kill with what it keeps, and leaves nothing', async (kind, t) => {
  skipWhen(t, absent(kind));
  const broker = createBroker({ kind, url: undefined });
  assert.equal(broker.pid, undefined);
  try {
    await broker.start();
    const [pid, { url, name }] = [broker.pid!, { ...broker.access }];
    assert.ok(alive(pid));
    assert.match(name, /^[\w-]+$/);
    await put(kind, url);
    await broker.end('SIGKILL');
    assert.ok(!alive(pid));
    assert.equal(broker.pid, undefined);
    await assert.rejects(put(kind, url));
    await broker.start();
    assert.equal(broker.access.url, url);
    assert.equal(await count(kind, url), kind === 'redis-streams' || kind === 'jetstream' ? 1 : 0);
    const second = broker.pid!;
    // One that stands still is ended all the same.
    process.kill(second, 'SIGSTOP');
    await broker.stop();
    assert.ok(!alive(second));
    assert.deepEqual(readdirSync(place), []);
  } finally {
    await broker.stop();
  }
});

test('a broker that ends by itself breaks the trial, and says what it said', async (t) => {
  skipWhen(t, absent('redis-pubsub'));
  const broker = createBroker({ kind: 'redis-pubsub', url: undefined });
  await broker.start();
  process.kill(broker.pid!, 'SIGKILL');
  await assert.rejects(broker.broken, (error) => {
    assert.ok(error instanceof TrialFailure);
    assert.equal(error.code, 'broker-ended');
    return true;
  });
  await broker.stop();
});

test('what stands in for Kafka says that it does, answers, and leaves nothing', async (t) => {
  skipWhen(t, noKafka);
  assert.match(brokerVersion({ kind: 'kafka', url: undefined })!, /^kcat \d+\.\d+\.\d+$/);
  const broker = createBroker({ kind: 'kafka', url: undefined });
  try {
    await broker.start();
    const { access, emulator, pid } = broker;
    assert.match(access.url, /^kafka:\/\/127\.0\.0\.1:\d+$/);
    assert.deepEqual([access.emulated, emulator], [true, "an emulator of Kafka (librdkafka's mock cluster)"]);
    // One that is named is taken for what it says that it is.
    const named = createBroker({ kind: 'kafka', url: access.url });
    await named.start();
    assert.deepEqual([named.access.emulated, named.emulator], [undefined, undefined]);
    const other = createBroker({ kind: 'redis-streams', url: access.url.replace('kafka:', 'redis:') });
    await assert.rejects(other.start(), /nothing that speaks redis answers/);
    process.kill(pid!, 'SIGSTOP');
    await broker.stop();
    assert.ok(!alive(pid!));
    assert.deepEqual(readdirSync(place), []);
  } finally {
    await broker.stop();
  }
});

test('what stands in for Kafka as a queue says where it is, and leaves nothing', async (t) => {
  skipWhen(t, noKafka);
  assert.match(emulatorName('kafka', 'webhook store=kafka'), /emulator of Kafka/);
  const emulator = createEmulator('kafka');
  try {
    const url = await emulator.start();
    assert.match(url, /^kafka:\/\/127\.0\.0\.1:\d+$/);
    assert.ok(await answers(url));
    const pid = emulator.pid!;
    await emulator.stop();
    assert.ok(!alive(pid));
    assert.deepEqual(readdirSync(place), []);
  } finally {
    await emulator.stop();
  }
});

test('one that is stopped in the middle of its start says so and leaves nothing', async () => {
  const broker = createBroker({ kind: 'nats', url: undefined });
  const starting = assert.rejects(
    broker.start(),
    (error) => error instanceof TrialFailure && error.code === 'over',
  );
  await broker.stop();
  await starting;
  assert.equal(broker.pid, undefined);
  assert.deepEqual(readdirSync(place), []);
});

test('a broker that a scenario names is asked, and never ended', async (t) => {
  skipWhen(t, absent('redis-streams'));
  const own = createBroker({ kind: 'redis-streams', url: undefined });
  await own.start();
  try {
    const named = createBroker({ kind: 'redis-streams', url: own.access.url });
    await named.start();
    assert.equal(named.access.url, own.access.url);
    assert.notEqual(named.access.name, own.access.name);
    assert.equal(named.pid, undefined);
    await named.stop();
    assert.ok(alive(own.pid!));
    // What speaks another protocol is none.
    const other = createBroker({ kind: 'nats', url: own.access.url.replace('redis:', 'nats:') });
    await assert.rejects(other.start(), /nothing that speaks nats answers at servers\.broker\.url/);
  } finally {
    await own.stop();
  }
});

test('the version is what the program says', (t) => {
  skipWhen(t, absent('redis-pubsub'));
  assert.match(brokerVersion({ kind: 'redis-pubsub', url: undefined })!, /^redis-server \d+\.\d+\.\d+$/);
  assert.equal(brokerVersion({ kind: 'in-process', url: undefined }), undefined);
});
