// Bodies of events: generated to a size from the seed, or taken from a corpus as they are.

import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { bodyOf, generateBody } from '../../../core/plan/bodies.ts';
import { random } from '../../../core/base/random.ts';

const generated = (sizeBytes: number, seed = 1) => generateBody(sizeBytes, random(seed, 'test'));

describe('a generated body', () => {
  test('is JSON on one line of exactly the size asked for, in bytes of UTF-8', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 })),
        fc.nat(),
        (sizeBytes, seed) => {
          const body = generated(sizeBytes, seed);
          assert.equal(Buffer.byteLength(body), sizeBytes);
          JSON.parse(body);
          assert.doesNotMatch(body, /[\r\n]/);
          assert.ok(body.isWellFormed());
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('every size up to 2,000 bytes', () => {
    for (let sizeBytes = 1; sizeBytes <= 2000; sizeBytes++)
      assert.equal(Buffer.byteLength(generated(sizeBytes)), sizeBytes);
  });

  test('a mebibyte', () => {
    const body = generated(1024 ** 2);
    assert.equal(Buffer.byteLength(body), 1024 ** 2);
    JSON.parse(body);
  });

  const shapes: [reads: string, sizeBytes: number, shape: RegExp][] = [
    ['one byte is a digit', 1, /^\d$/],
    ['two bytes are an empty string', 2, /^""$/],
    ['ten bytes are a string', 10, /^"[a-z]{8}"$/],
    ['eleven bytes are the smallest object', 11, /^\{"text":""\}$/],
    ['a hundred bytes are a text', 100, /^\{"text":"[^"]+"\}$/],
    [
      'a thousand bytes are records and a text',
      1000,
      /^\{"items":\[\{"id":\d+,.+\},\{"id":.+\}\],"text":"[^"]*"\}$/,
    ],
  ];
  for (const [reads, sizeBytes, shape] of shapes)
    test(reads, () => assert.match(generated(sizeBytes), shape));

  test('has characters of more than one byte among them', () => {
    assert.ok(generated(20_000).length < 20_000);
  });

  test('compresses as JSON of APIs does: a little when small, several times when large', () => {
    const ratio = (sizeBytes: number) => sizeBytes / deflateRawSync(generated(sizeBytes)).length;
    assert.ok(ratio(256) > 1.2 && ratio(256) < 2, `256 bytes: ${ratio(256)}`);
    assert.ok(ratio(16_384) > 3 && ratio(16_384) < 9, `16 KiB: ${ratio(16_384)}`);
  });

  test('is the same for the same random numbers, another for others', () => {
    assert.equal(generated(500, 3), generated(500, 3));
    assert.notEqual(generated(500, 3), generated(500, 4));
  });

  test('a size below one byte is refused', () => {
    assert.throws(() => generated(0), /no JSON has 0 bytes/);
  });
});

describe('the body of an event', () => {
  const plan = {
    offsetUs: Float64Array.of(0, 1, 2, 3),
    topic: Uint32Array.of(0, 0, 0, 0),
    body: Int32Array.of(1, -300, -300, 0),
    corpus: ['{"first":1}', '  "second" '],
  };
  test('is that of the corpus, as it is', () => {
    assert.equal(bodyOf(plan, 0, 1), '  "second" ');
    assert.equal(bodyOf(plan, 3, 1), '{"first":1}');
  });
  test('is generated from the seed and the index alone', () => {
    assert.equal(Buffer.byteLength(bodyOf(plan, 1, 1)), 300);
    assert.equal(bodyOf(plan, 1, 1), bodyOf(plan, 1, 1));
    assert.notEqual(bodyOf(plan, 1, 1), bodyOf(plan, 2, 1));
    assert.notEqual(bodyOf(plan, 1, 1), bodyOf(plan, 1, 2));
  });
});
