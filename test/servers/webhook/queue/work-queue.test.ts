// Checks that a work is the same after it was a message, and that a message can be anything.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  decodeWork,
  encodeWork,
  splitWork,
  type Work,
} from '../../../../servers/webhook/queue/work-queue.ts';

const receiver = fc.tuple(fc.string(), fc.nat()).map(([id, key]) => ({ id, key }));
const anyWork: fc.Arbitrary<Work> = fc
  .record({
    kind: fc.constantFrom('event' as const, 'delivery' as const),
    id: fc.string({ unit: 'binary' }),
    topic: fc.string(),
    body: fc.string({ unit: 'binary' }),
    firstId: fc.maxSafeNat(),
    receivers: fc.array(receiver, { minLength: 1, maxLength: 5 }),
    createdMs: fc.nat(),
    round: fc.nat(),
  })
  .map(({ id, topic, body, kind, receivers, ...rest }) => ({
    ...rest,
    kind,
    message: { id, topic, body, bodyBytes: Buffer.byteLength(body) },
    receivers: kind === 'event' ? receivers : receivers.slice(0, 1),
  }));

/** A message of ours in which one value is missing or another. */
const almostOurs = fc
  .tuple(anyWork, fc.nat(), fc.option(fc.oneof(fc.jsonValue(), fc.double()), { nil: undefined }))
  .map(([work, at, value]) => {
    const message = JSON.parse(encodeWork(work)) as Record<string, unknown>; // an object
    const name = Object.keys(message)[at % Object.keys(message).length]!; // it has some
    return JSON.stringify({ ...message, [name]: value });
  });

test('a work is the same after it was a message', () => {
  fc.assert(fc.property(anyWork, (work) => assert.deepEqual(decodeWork(encodeWork(work)), work)));
});

test('whatever comes as a message is a work that can be done, or none of ours', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), almostOurs), (text) => {
      const work = decodeWork(text);
      if (!work) return;
      assert.deepEqual(decodeWork(encodeWork(work)), work);
      assert.equal(splitWork(work).length, work.receivers.length);
      assert.match(new Date(work.createdMs).toISOString(), /Z$/);
    }),
    { numRuns: 1000 },
  );
});

describe('is none of ours:', () => {
  const ours = { pushbench: 1, kind: 'delivery', firstId: 1, to: [['ep_1', 1]], createdMs: 1, round: 0 };
  const whole = { ...ours, id: 'e', topic: 'news', body: '{}' };

  for (const text of ['', 'hello', '{}', '[]', 'null', '{"pushbench":1}', '{"pushbench":2}'])
    test(`the text "${text}"`, () => assert.equal(decodeWork(text), undefined));

  for (const [what, change] of [
    ['of another version', { pushbench: 2 }],
    ['of an unknown kind', { kind: 'other' }],
    ['without a receiver', { to: [] }],
    ['a delivery with two receivers', { to: [...ours.to, ['ep_2', 2]] }],
    ['from a time that no date has', { createdMs: 1e16 }],
    ['whose number is none', { firstId: '1' }],
    ['whose body is no text', { body: {} }],
  ] as const)
    test(what, () => {
      assert.ok(decodeWork(JSON.stringify(whole)));
      assert.equal(decodeWork(JSON.stringify({ ...whole, ...change })), undefined);
    });
});
