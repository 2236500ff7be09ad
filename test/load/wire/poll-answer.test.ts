// The answer to a poll, taken apart in place.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { readPollAnswer, splitEvents } from '../../../load/wire/poll-answer.ts';

describe('the answer to a poll', () => {
  const envelope = fc
    .json()
    .map((body) => `{"id":"e1-1","topic":"t","seq":1,"planned":1,"sent":2,"accepted":3,"body":${body}}`);
  const split = (text: string, padding = '') => {
    const bytes = Buffer.from(padding + text + padding);
    const [from, to] = [Buffer.byteLength(padding), bytes.length - Buffer.byteLength(padding)];
    const answer = readPollAnswer(bytes, from, to);
    if (!answer) return undefined;
    const events: string[] = [];
    const whole = splitEvents(
      bytes,
      answer.eventsFrom,
      to,
      (a, b) => void events.push(bytes.toString('utf8', a, b)),
    );
    return { cursor: answer.cursor, reset: answer.reset, events, whole };
  };

  test('is split as JSON.parse would, anywhere in a buffer', () => {
    fc.assert(
      fc.property(
        fc.array(envelope, { maxLength: 6 }),
        fc.boolean(),
        fc.constantFrom('', '{', '"', '}]}', ',{"'),
        (envelopes, reset, padding) => {
          const text = `{"cursor":"e1-57",${reset ? '"reset":true,' : ''}"events":[${envelopes.join(',')}]}`;
          assert.deepEqual(split(text, padding), { cursor: 'e1-57', reset, events: envelopes, whole: true });
          assert.deepEqual(
            split(text)!.events.map((event) => JSON.parse(event) as unknown),
            (JSON.parse(text) as { events: unknown[] }).events,
          );
        },
      ),
    );
  });

  test('cut anywhere is noticed', () => {
    const text = '{"cursor":"e1-57","reset":true,"events":[{"a":"}]\\"","b":[{},"x"]},{"c":1}]}';
    assert.equal(split(text)?.whole, true);
    for (let length = 0; length < text.length; length++) {
      // What stands behind the end must not be read: the buffer still holds it.
      const bytes = Buffer.from(text);
      const answer = readPollAnswer(bytes, 0, length);
      assert.ok(!answer || !splitEvents(bytes, answer.eventsFrom, length, () => {}), text.slice(0, length));
    }
  });

  const malformed = ['[{},]', '[,{}]', '[{}{}]', '[1]', '["a"]', '[{}]}', '[{]', '[{"a":"}]', '[[]]'];
  for (const list of malformed)
    test(`with the list ${list} is malformed`, () =>
      assert.notEqual(split(`{"cursor":"e1-1","events":${list}}`)?.whole, true));

  test('with any byte changed is read without a throw, and no event reaches past its end', () => {
    fc.assert(
      fc.property(
        fc.array(envelope, { maxLength: 3 }),
        fc.nat(),
        fc.nat({ max: 255 }),
        (envelopes, where, byte) => {
          const bytes = Buffer.from(`{"cursor":"e1-57","events":[${envelopes.join(',')}]}`);
          bytes[where % bytes.length] = byte;
          const answer = readPollAnswer(bytes, 0, bytes.length);
          if (answer)
            splitEvents(bytes, answer.eventsFrom, bytes.length, (from, to) =>
              assert.ok(from < to && to <= bytes.length),
            );
        },
      ),
    );
  });
});
