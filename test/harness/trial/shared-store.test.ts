// Tests when a trial starts a Redis that the servers of a sender share, and what they are told of it.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import {
  emulatorsOf,
  optionsWithStore,
  startsStoreRedis,
  storeVersion,
} from '../../../harness/trial/shared-store.ts';
import type { BrokerProcess } from '../../../harness/cluster/brokers.ts';
import { createBeside } from '../../../harness/cluster/beside.ts';
import { fakeFleet } from '../../fake/fleet.ts';

const webhook = (options: Record<string, unknown>) =>
  variantOf(patterns, 'webhook', patterns.webhook.options.parse(options));
const unnamed = webhook({ store: 'redis' });
const named = webhook({ store: 'redis', redis: 'redis://127.0.0.1:7000' });

test('where several could share one that nobody has named', () => {
  assert.deepEqual(
    [
      [unnamed],
      [named],
      [webhook({}), unnamed],
      [webhook({ store: 'sqlite' })],
      [variantOf(patterns, 'sse')],
    ].map(startsStoreRedis),
    [true, false, true, false, false],
  );
  assert.equal(startsStoreRedis([{ ...unnamed, target: 'mine' }]), false);
});

test('where it is not installed the variant and the package are named', () => {
  const missing = () => {
    throw new UserError('broker', 'not there');
  };
  assert.throws(
    () => storeVersion([unnamed], { brokerVersion: missing }),
    /"webhook store=redis" keeps its deliveries .* apt-get install redis-server/,
  );
  assert.equal(storeVersion([named], { brokerVersion: missing }), undefined);
});

test('servers are told where the one of the trial is, and others what they say themselves', async (t) => {
  const fleet = fakeFleet();
  const beside = createBeside();
  t.onTestFinished(() => beside.stop());
  const options = await optionsWithStore({ variant: unnamed, fleet, beside });
  assert.equal(beside.all.length, 1);
  const [redis] = beside.all as [BrokerProcess];
  assert.deepEqual(options, { ...unnamed.options, redis: redis.access.url });
  assert.equal(redis.access.kind, 'redis-streams', 'one that keeps what it was given');
  assert.deepEqual(await optionsWithStore({ variant: named, fleet, beside }), named.options);
  assert.equal(beside.all.length, 1);
});

test('a queue that nobody has named has an emulator, with an order where it is asked for', async (t) => {
  const fleet = fakeFleet();
  const beside = createBeside();
  t.onTestFinished(() => beside.stop());
  const placed = async (options: Record<string, unknown>) => {
    const { sqs, sqsDeadLetters } = await optionsWithStore({ variant: webhook(options), fleet, beside });
    return [sqs, sqsDeadLetters];
  };
  const at = 'http://127.0.0.1:1/000000000000';
  assert.deepEqual(await placed({ store: 'sqs' }), [`${at}/webhooks`, `${at}/webhooks-dead`]);
  assert.deepEqual(await placed({ store: 'sqs', fifo: true }), [
    `${at}/webhooks.fifo`,
    `${at}/webhooks-dead.fifo`,
  ]);
  const sqs = 'https://sqs.eu-central-1.amazonaws.com/123456789012/q';
  assert.deepEqual(await placed({ store: 'sqs', sqs }), [sqs, '']);
  assert.deepEqual(emulatorsOf([unnamed, webhook({ store: 'sqs' }), webhook({ store: 'sqs', sqs })], fleet), [
    'fake sqs',
  ]);
});

test('a topic of Kafka that nobody has named is one of an emulator', async (t) => {
  const fleet = fakeFleet();
  const beside = createBeside();
  t.onTestFinished(() => beside.stop());
  const placed = async (options: Record<string, unknown>) =>
    (await optionsWithStore({ variant: webhook(options), fleet, beside }))['kafka'];
  assert.equal(await placed({ store: 'kafka' }), 'http://127.0.0.1:1/webhooks');
  const kafka = 'kafka://10.0.0.5:9092/webhooks';
  assert.equal(await placed({ store: 'kafka', kafka }), kafka);
  assert.deepEqual(emulatorsOf([webhook({ store: 'kafka' }), webhook({ store: 'kafka', kafka })], fleet), [
    'fake kafka',
  ]);
  // Both have their records in a Redis of the trial, and the first an emulator, too.
  assert.equal(beside.all.length, 3);
});
