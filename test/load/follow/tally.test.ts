// Counts what is missing, comes again or is replayed, in a sequence of events with known times.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { createTally } from '../../../load/follow/tally.ts';

const event = (topic: string, seq: number, atUs: number, plannedUs = atUs - 100, epoch = 'e') => ({
  atUs,
  text: '',
  envelope: {
    id: `${epoch}-${seq}`,
    topic,
    seq,
    plannedUs,
    sentUs: plannedUs,
    acceptedUs: plannedUs,
    body: '1',
  },
});

test('gaps, repetitions and replays, each topic by itself', () => {
  const tally = createTally(true);
  tally.ready(0);
  assert.deepEqual(tally.take(event('a', 5, 1000)), { latencyUs: 100, replayed: false, repeated: false });
  tally.take(event('b', 1, 1100));
  tally.take(event('a', 8, 1200)); // 6 and 7 are missing
  assert.equal(tally.take(event('a', 8, 1300)).repeated, true);
  tally.ready(5000); // it was away
  assert.deepEqual(tally.take(event('b', 2, 5100, 2000)), {
    latencyUs: 3100,
    replayed: true,
    repeated: false,
  });
  assert.equal(tally.take(event('b', 3, 5200)).replayed, false);
  assert.deepEqual(tally.totals(), {
    events: 6,
    reconnections: 1,
    replayed: 1,
    missed: 2,
    repeated: 1,
    medianLatencyUs: 100,
  });
});

test('another life of the log has numbers of its own; times of another machine say nothing', () => {
  const tally = createTally(false);
  tally.ready(0);
  assert.deepEqual(tally.take(event('a', 9, 10, 900_000)), { replayed: false, repeated: false });
  tally.take(event('a', 1, 20, 10, 'f'));
  assert.deepEqual(
    [tally.totals().missed, tally.totals().repeated, tally.totals().medianLatencyUs],
    [0, 0, undefined],
  );
});
