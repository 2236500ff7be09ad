// Checks what is written to Kafka and what its group is told, on a group that the test plays: waits, works
// that come again, partitions that come and go, and writes that fail.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { KafkaWriteError } from '../../../../servers/kafka/topic.ts';
import { decodeWork, type End } from '../../../../servers/webhook/queue/work-queue.ts';
import { until } from '../../receivers.ts';
import { due, nameOf, playKafka, queueOn, second, work } from './played-kafka.ts';

const done: End = { kind: 'done' };
const idOf = (value: string | Buffer) => decodeWork(value.toString())!.firstId;

test('a work that waits is in the topic of its wait before it is finished', async (t) => {
  const kafka = playKafka();
  const gate = Promise.withResolvers<void>();
  kafka.onWrite = () => gate.promise;
  queueOn(t, kafka, async () => ({ kind: 'later', ms: 6000 }));
  const beganMs = Date.now();
  kafka.take(due, 5, [work(1)]);
  await until('the group was told', () => kafka.places.get(nameOf(due)) === 5);
  await sleep(300); // more than from one commit to the next
  assert.equal(kafka.places.get(nameOf(due)), 5);
  gate.resolve();
  await until('it is finished', () => kafka.places.get(nameOf(due)) === 6);
  const [record, ...others] = kafka.written;
  assert.deepEqual(others, []);
  assert.equal(record!.topic, 'hooks.wait-5s');
  assert.equal(idOf(record!.value), 1);
  const untilMs = Number(record!.headers['pushbench-until']);
  const dueMs = Number(record!.headers['pushbench-due']);
  assert.ok(dueMs >= beganMs + 6000);
  assert.ok(untilMs >= beganMs + 5000 && untilMs <= dueMs - 900);
});

test('in a topic of waits a work leaves on time: to the next one, or to be sent', async (t) => {
  const kafka = playKafka();
  const handled: [number, number][] = [];
  queueOn(t, kafka, async ({ firstId }) => {
    handled.push([firstId, Date.now()]);
    return done;
  });
  const waiting = { topic: 'hooks.wait-250ms', partition: 0 };
  kafka.assign([due, waiting]);
  const nowMs = Date.now();
  kafka.take(waiting, 0, [work(1)], { untilMs: nowMs + 100, dueMs: nowMs + 10_000 });
  kafka.take(waiting, 1, [work(2)], { untilMs: nowMs + 200, dueMs: nowMs + 200 });
  await until('both left', () => kafka.places.get(nameOf(waiting)) === 2);
  assert.deepEqual(
    handled.map(([id]) => id),
    [2],
  );
  assert.ok(handled[0]![1] >= nowMs + 200);
  assert.deepEqual(
    kafka.written.map(({ topic, value }) => [topic, idOf(value)]),
    [['hooks.wait-5s', 1]],
  );
  assert.equal(Number(kafka.written[0]!.headers['pushbench-due']), nowMs + 10_000);
});

test('works end in any order, and the group goes on from the lowest that has not ended', async (t) => {
  const kafka = playKafka();
  const first = Promise.withResolvers<End>();
  queueOn(t, kafka, ({ firstId }) => (firstId === 1 ? first.promise : Promise.resolve(done)));
  kafka.take(due, 0, [work(1), work(2), work(3)]);
  await until('the group was told', () => kafka.places.get(nameOf(due)) === 0);
  first.resolve(done);
  await until('all are finished', () => kafka.places.get(nameOf(due)) === 3);
});

test('what comes again to a server that has it is not begun again', async (t) => {
  const kafka = playKafka();
  const first = Promise.withResolvers<End>();
  const begun: number[] = [];
  queueOn(t, kafka, ({ firstId }) => {
    begun.push(firstId);
    return firstId === 1 ? first.promise : Promise.resolve(done);
  });
  kafka.take(due, 0, [work(1), work(2)]);
  await until('both are begun', () => begun.length === 2);
  // Partitions are dealt out again, and this one stays here.
  assert.deepEqual(kafka.assign([second, due]), [{ ...due, offset: 2 }]);
  kafka.take(due, 0, [work(1), work(2), work(3)]);
  first.resolve(done);
  await until('all are finished', () => kafka.places.get(nameOf(due)) === 3);
  assert.deepEqual(begun, [1, 2, 3]);
});

test('a partition that went to another server is neither worked on nor committed any more', async (t) => {
  const kafka = playKafka();
  const first = Promise.withResolvers<End>();
  const begun: number[] = [];
  queueOn(
    t,
    kafka,
    ({ firstId }) => {
      begun.push(firstId);
      return firstId === 1 ? first.promise : Promise.resolve(done);
    },
    { concurrency: 1 },
  );
  kafka.take(due, 0, [work(1), work(2)]);
  await until('the group was told', () => kafka.places.get(nameOf(due)) === 0);
  kafka.assign([second]);
  kafka.take(due, 2, [work(3)]); // was on its way
  first.resolve(done);
  kafka.take(second, 7, [work(4)]);
  await until('the other goes on', () => kafka.places.get(nameOf(second)) === 8);
  assert.deepEqual(begun, [1, 4]);
  assert.equal(kafka.places.get(nameOf(due)), 0);
  // Back again, it begins where the group is.
  assert.deepEqual(kafka.assign([due, second]), [{ ...second, offset: 8 }]);
  kafka.take(due, 0, [work(1), work(2)]);
  await until('it is finished', () => kafka.places.get(nameOf(due)) === 2);
});

test('the group is told again what it could not hear while partitions were dealt out', async (t) => {
  const kafka = playKafka();
  kafka.isDealing = true;
  queueOn(t, kafka, async () => done);
  kafka.take(due, 0, [work(1)]);
  await sleep(300);
  assert.equal(kafka.places.size, 0);
  kafka.isDealing = false;
  await until('it was told', () => kafka.places.get(nameOf(due)) === 1);
});

test('as many are begun as may be under way, in turn, and no more are fetched meanwhile', async (t) => {
  const kafka = playKafka();
  const ends: ((end: End) => void)[] = [];
  const begun: number[] = [];
  queueOn(
    t,
    kafka,
    ({ firstId }) => {
      begun.push(firstId);
      return new Promise((resolve) => ends.push(resolve));
    },
    { concurrency: 2 },
  );
  kafka.assign([due, second]);
  kafka.take(due, 0, [work(1), work(2), work(3), work(4), work(5)]);
  kafka.take(second, 0, [work(11)]);
  assert.deepEqual(begun, [1, 2]);
  assert.deepEqual([...kafka.paused], [nameOf(due)]);
  ends.shift()!(done);
  await until('the other partition had its turn', () => begun.length === 3);
  assert.deepEqual(begun, [1, 2, 11]);
  for (const count of [4, 5, 6]) {
    ends.shift()!(done);
    await until('the next is begun', () => begun.length === count);
  }
  assert.deepEqual(begun, [1, 2, 11, 3, 4, 5]);
  assert.deepEqual([...kafka.paused], []);
  for (const end of ends) end(done);
});

test('what is not done when a server stops stays for others', async (t) => {
  const kafka = playKafka();
  const begun: number[] = [];
  const ends: ((end: End) => void)[] = [];
  const queue = queueOn(
    t,
    kafka,
    ({ firstId }) => {
      begun.push(firstId);
      return new Promise((resolve) => ends.push(resolve));
    },
    { concurrency: 2 },
  );
  kafka.take(due, 0, [work(1), work(2), work(3)]);
  const stopped = queue.stop();
  ends[0]!(done);
  ends[1]!({ kind: 'left' });
  await stopped;
  assert.deepEqual(begun, [1, 2]);
  assert.deepEqual(kafka.written, []);
  assert.equal(kafka.places.get(nameOf(due)), 1);
  assert.ok(kafka.hasLeft);
});

test('a move that Kafka does not take is tried until it does', async (t) => {
  const kafka = playKafka();
  let failures = 4;
  kafka.onWrite = async () => {
    if (failures-- > 0) throw new KafkaWriteError(failures % 2 === 0 ? 'away' : 'unknown', 'no answer');
  };
  const reported: string[] = [];
  queueOn(t, kafka, async () => ({ kind: 'soon' }), {
    report: (error) => reported.push(String(error)),
  });
  kafka.take(due, 0, [work(1)]);
  await until('it is finished', () => kafka.places.get(nameOf(due)) === 1);
  assert.deepEqual(
    kafka.written.map(({ topic }) => topic),
    ['hooks.wait-1s'],
  );
  assert.match(reported.join(), /the Kafka topic hooks: no answer/);
});

test('what a publisher is told', async (t) => {
  const kafka = playKafka();
  const queue = queueOn(t, kafka, async () => done);
  const kinds: KafkaWriteError['kind'][] = [];
  kafka.onWrite = async () => {
    const kind = kinds.shift();
    if (kind) throw new KafkaWriteError(kind, 'no');
  };
  const told = async (...given: KafkaWriteError['kind'][]) => {
    kinds.push(...given);
    return (await queue.send([work(1)]))[0]!.state;
  };
  assert.equal(await told(), 'stored');
  assert.equal(await told('unknown', 'away'), 'stored');
  assert.equal(await told('away', 'away', 'away'), 'refused');
  assert.equal(await told('away', 'unknown', 'away'), 'unknown');
  assert.equal(await told('refused'), 'refused');
});

test('where one of several is too large, the others are stored', async (t) => {
  const kafka = playKafka();
  const queue = queueOn(t, kafka, async () => done);
  kafka.onWrite = async (records) => {
    if (records.some(({ value }) => idOf(value) === 2)) throw new KafkaWriteError('refused', 'too large');
  };
  const sent = await queue.send([work(1), work(2), work(3)]);
  assert.deepEqual(
    sent.map(({ state }) => state),
    ['stored', 'refused', 'stored'],
  );
});

test('dead letters and messages of other programs have a topic of their own', async (t) => {
  const kafka = playKafka();
  const reported: string[] = [];
  const queue = queueOn(t, kafka, async () => done, {
    report: (error) => reported.push(String(error)),
  });
  await queue.bury(work(1));
  const others = ['hello', '{"pushbench":1}'];
  kafka.take(due, 0, others);
  await until('they are finished', () => kafka.places.get(nameOf(due)) === 2);
  const [dead, ...apart] = kafka.written;
  assert.deepEqual(
    kafka.written.map(({ topic }) => topic),
    Array(3).fill('hooks.dead'),
  );
  assert.equal(decodeWork(dead!.value.toString())!.round, 1);
  assert.deepEqual(apart.map(({ value }) => value.toString()).sort(), others);
  assert.match(reported.join(), /has a message that pushbench did not send/);
});
