// Holds what a publisher is told whose event meets another stream than the one that the server has read: an
// acknowledgement has a number and no epoch, and the server may not have noticed yet.

import assert from 'node:assert/strict';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { test, type TestContext } from 'vitest';
import { accessTo } from '../../broker-servers.ts';
import { noNats, startNats } from '../../nats-server.ts';
import { skipWhen } from '../../skip.ts';
import { createPublisher, isRefusal, join, told } from './hubs.ts';

const isUnknown = (error: unknown) => isRefusal(error) && error.code === 'unknown';

/** A server that has read two events, and the hands of somebody who makes the stream again. */
async function setUp(t: TestContext) {
  const nats = await startNats();
  t.onTestFinished(nats.stop);
  const access = accessTo('jetstream', nats);
  const member = await join(t, access);
  const publisher = createPublisher();
  await publisher.publish(member, 'a');
  await publisher.publish(member, 'a');
  const connection = await connect({ servers: nats.url });
  t.onTestFinished(() => connection.close());
  const manager = await jetstreamManager(connection);
  return {
    member,
    publisher,
    before: member.hub.epoch,
    /**
     * @param others events that are not this server's come first
     * @param msgID names them
     */
    async replace(others: number, msgID?: string) {
      const { config } = await manager.streams.info(access.name);
      await manager.streams.delete(access.name);
      await manager.streams.add(config);
      const named = msgID === undefined ? {} : { msgID };
      for (let i = 0; i < others; i++) await manager.jetstream().publish(`${access.name}.events`, '0', named);
    },
  };
}

for (const [what, others] of [
  ['begins again', 0],
  ['has come further than the one before', 5],
] as const)
  test(`a stream that ${what} gives an event no number of the old epoch`, async (t) => {
    skipWhen(t, noNats);
    const { member, publisher, before, replace } = await setUp(t);
    await replace(others);
    await assert.rejects(publisher.send(member, 'a', 3), isUnknown);
    publisher.next('a');
    const { id } = await publisher.insist([member], 'a'); // the fourth, as the third is named by its key
    assert.equal(id, `${member.hub.epoch}-${others + 2}`);
    assert.notEqual(member.hub.epoch, before);
    const events = member.got.map((event) => [event.id, told(event)]);
    assert.deepEqual(events.at(-1), [id, 'a 4 {"n":4}']);
    assert.deepEqual(events.at(-2), [`${member.hub.epoch}-${others + 1}`, 'a 3 {"n":3}']);
    // Repeated, it is the same event with its number in the present epoch.
    assert.equal((await publisher.send(member, 'a', 3)).id, `${member.hub.epoch}-${others + 1}`);
  });

test('nor does one that another server has given the new stream before', async (t) => {
  skipWhen(t, noNats);
  const { member, publisher, before, replace } = await setUp(t);
  const again = await publisher.send(member, 'a', 2); // the stream knows its key
  assert.equal(again.id, `${before}-2`);
  await replace(1, 'a-2');
  await assert.rejects(publisher.send(member, 'a', 2), isUnknown);
});
