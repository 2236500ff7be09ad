// Checks which events go to Kafka together, and what becomes of those that are too large together, on a
// partition that the test plays.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { refusalsOf } from '../../../servers/brokers/broker.ts';
import { createKafkaWriter, type KafkaEvent } from '../../../servers/brokers/kafka-writer.ts';
import { KafkaWriteError } from '../../../servers/kafka/topic.ts';
import { until } from './hubs.ts';

/** A writer to a partition that takes so many bytes at once. */
function play(mostBytes: number, beforeWrite: () => void = () => {}) {
  const written: string[][] = [];
  /** What was answered to events that were not written. */
  const answers = new Map<number, string>();
  let refused = 0;
  const writer = createKafkaWriter(
    {
      async write(messages) {
        beforeWrite();
        await sleep(1);
        const values = messages.map(({ value }) => value);
        if (Buffer.byteLength(values.join('')) > mostBytes) {
          refused++;
          throw new KafkaWriteError('refused', 'too large');
        }
        written.push(values);
      },
    },
    refusalsOf('Kafka', 'kafka://127.0.0.1:9092'),
    (count, { status, code }) => void answers.set(count, `${status} ${code}`),
  );
  return { writer, written, answers, refusals: () => refused };
}

/** What was written, a letter for each event. */
const letters = (written: readonly string[][]) =>
  written.map((batch) => batch.map((value) => value[0]).join(''));

const events = (values: readonly string[]): KafkaEvent[] =>
  values.map((value, count) => ({ count, key: undefined, value, written: false }));

test('what goes together is counted in bytes, not in characters', async () => {
  const { writer, written, answers, refusals } = play(1024 ** 2);
  const values = Array.from({ length: 500 }, (_, i) => `${i}${'語'.repeat(1000)}`);
  for (const one of events(values)) writer.add(one);
  await until('all are written', () => written.flat().length + answers.size >= 500);
  assert.ok(written.flat().every((value, i) => value === values[i]));
  assert.equal(refusals(), 0);
  assert.ok(written.length < 10, 'they went together');
});

test('where several are too large together, those are refused that are so alone', async () => {
  const { writer, written, answers } = play(4000);
  const values = ['a', 'b', 'c', 'd'].map((name) => name.repeat(name === 'b' ? 5000 : 3000));
  for (const one of events(values)) writer.add(one);
  await until('all have ended', () => written.flat().length + answers.size === 4);
  assert.deepEqual(letters(written), ['a', 'c', 'd']);
  assert.deepEqual([...answers], [[1, '413 too-large-for-broker']]);
  // And those that come later go together again.
  for (const one of events(['e', 'f'])) writer.add(one);
  await until('they are written', () => written.length > 3);
  assert.deepEqual(letters(written), ['a', 'c', 'd', 'ef']);
});

test('nobody is written alone who has given up, and nothing after the end', async () => {
  const values = ['a', 'b', 'c', 'd'].map((name) => name.repeat(3000));
  const all = events(values);
  let writes = 0;
  const { writer, written, answers } = play(4000, () => {
    writes++;
    if (writes === 2) writer.drop(all[1]!); // `a` is on its way alone
    if (writes === 3) writer.stop(); // and now `c`
  });
  for (const one of all) writer.add(one);
  await until('two are written', () => written.length === 2);
  await sleep(50); // others would come now
  assert.deepEqual(letters(written), ['a', 'c']);
  assert.equal(writes, 3);
  assert.deepEqual([...answers], []);
  assert.deepEqual(
    all.map((one) => one.written),
    [true, false, true, false],
  );
});
