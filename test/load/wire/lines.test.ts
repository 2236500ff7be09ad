// Lines of NDJSON in every split, against a splitter of whole text.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { newLineReader, readLines } from '../../../load/wire/lines.ts';
import { largestMessageBytes } from '../../../core/event/body-size.ts';
import { split } from '../context.ts';

function read(pieces: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const reader = newLineReader();
  const shared = Buffer.alloc(64 * 1024, 'stale\n');
  for (const piece of pieces) {
    piece.copy(shared);
    readLines(
      reader,
      shared,
      0,
      piece.length,
      0,
      (into: string[], bytes, from, to) => void into.push(bytes.toString('utf8', from, to)),
      lines,
    );
  }
  return lines;
}

test('any text, however it is split, gives the whole lines that a splitter finds in it', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '{', '"', 'é', '😀', '\r', '\n', '\r\n', '\n\n'),
    maxLength: 60,
  });
  fc.assert(
    fc.property(
      text,
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
      (value, sizes) => {
        const expected = value
          .split('\n')
          .slice(0, -1)
          .map((line) => line.replace(/\r$/, ''))
          .filter((line) => line !== '');
        const bytes = Buffer.from(value);
        for (const pieces of [[bytes], split(bytes, sizes), split(bytes, [1])])
          assert.deepEqual(read(pieces), expected);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a line longer than the limit is refused, one as long as it is not', () => {
  const long = Buffer.alloc(largestMessageBytes, 'x');
  const pieces = [...split(long, [60_000]), Buffer.from('\n')];
  assert.equal(read(pieces)[0]!.length, largestMessageBytes);
  assert.throws(() => read([Buffer.from('y'), ...pieces]), {
    name: 'ProtocolError',
    code: 'too-long',
    message: `a line is longer than ${largestMessageBytes} bytes`,
  });
});
