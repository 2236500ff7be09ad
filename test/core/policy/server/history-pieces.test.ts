// Holds the pieces of a history to what they promise: together they are all of it, each no larger than
// needed.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { mostGrownBytes, pieceBytes, takeUntil } from '../../../../core/policy/server/history-pieces.ts';

test('pieces are all events in their order, and each ends with the event that makes it large enough', () => {
  const jsonArb = fc.string({ maxLength: 30, unit: 'grapheme' });
  fc.assert(
    fc.property(fc.array(jsonArb, { maxLength: 40 }), fc.nat(100), (texts, enoughBytes) => {
      const all = texts.map((json) => ({ json }));
      const bytesOf = (events: typeof all) =>
        events.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
      const pieces: (typeof all)[] = [];
      let rest = all;
      while (rest.length > 0) {
        const piece = takeUntil(rest, enoughBytes);
        assert.ok(piece.length > 0, 'something is always taken');
        rest = rest.slice(piece.length);
        pieces.push(piece);
        if (rest.length > 0) assert.ok(bytesOf(piece) >= enoughBytes);
        if (piece.length > 1) assert.ok(bytesOf(piece.slice(0, -1)) < enoughBytes);
      }
      assert.deepEqual(pieces.flat(), all);
    }),
  );
  assert.deepEqual(takeUntil([], 10), []);
});

test('less than a piece is no lag', () => {
  assert.deepEqual([mostGrownBytes(0), mostGrownBytes(pieceBytes + 1)], [pieceBytes, pieceBytes + 1]);
});
