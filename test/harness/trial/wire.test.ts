// Holds the bounds of what a trial's connections can have put on the wire, and what is said when the host
// counted more than that, less, or talked by itself. All numbers are computed by hand.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { newCounters, type Counters } from '../../../core/result/counters.ts';
import type { Completed } from '../../../core/result/result.ts';
import { idleBytesPerS } from '../../../harness/trial/idle-traffic.ts';
import { wireBounds } from '../../../harness/trial/wire-bound.ts';
import { wireOthers } from '../../../harness/trial/wire-others.ts';
import { fakeFleet } from '../../fake/fleet.ts';

const counters = (some: Partial<Counters>): Counters => ({ ...newCounters(), ...some });
const quiet = { published: 0, encrypted: false };

// 60 bytes of headers a segment; each segment with data doubled for its acknowledgement.
const cases: [
  what: string,
  given: { client?: Partial<Counters>; server?: Partial<Counters>; publisher?: Partial<Counters> },
  more: Partial<typeof quiet>,
  segments: number,
  bytes: number,
][] = [
  ['nothing', {}, {}, 0, 0],
  ['a stream: two writes an event', { client: { events: 10, bytesIn: 1000 } }, {}, 42, 1000 + 42 * 60],
  ['a heartbeat and its answer', { client: { heartbeats: 3 } }, {}, 12, 720],
  ['a message and its acknowledgement', { client: { upstreamMessages: 2 } }, {}, 16, 960],
  ['a poll: five writes, its events are in it', { client: { fullPolls: 2, events: 50 } }, {}, 20, 1200],
  ['a webhook likewise', { client: { deliveryRequests: 1, events: 1 } }, {}, 10, 600],
  ['a retry that only the server counts', { server: { retries: 1, events: 1 } }, {}, 10, 600],
  ['an event published', {}, { published: 3 }, 30, 1800],
  ['another request of a browser', { client: { pageRequests: 1 } }, {}, 10, 600],
  ['an error', { client: { errors: 1 } }, {}, 4, 240],
  ['connections opened and closed', { client: { connectionsOpened: 2, connectionsClosed: 1 } }, {}, 12, 720],
  ['the same of the publisher', { publisher: { connectionsOpened: 1, connectionsClosed: 1 } }, {}, 8, 480],
  ['1,400 bytes fill a segment', { client: { bytesIn: 700, bytesOut: 700 } }, {}, 2, 1400 + 120],
  ['one byte more begins another', { publisher: { bytesIn: 701, bytesOut: 700 } }, {}, 4, 1401 + 240],
  [
    'bytes that the server sent and nobody has read yet',
    { client: { bytesIn: 100, bytesOut: 40 }, server: { bytesOut: 1000, bytesIn: 40 } },
    {},
    2,
    1040 + 120,
  ],
  [
    'TLS: 60 bytes a write, 8 KiB and 14 segments a connection',
    { client: { heartbeats: 1, connectionsOpened: 1 } },
    { encrypted: true },
    8 + 14,
    (8 + 14) * 60 + 2 * 60 + 8192,
  ],
];

test.each(cases)(
  'at most, of %s',
  (_what, { client = {}, server = {}, publisher = {} }, more, segments, bytes) => {
    const { most } = wireBounds(counters(client), counters(server), counters(publisher), {
      ...quiet,
      ...more,
    });
    assert.deepEqual(most, { segments, bytes });
  },
);

test('at least, what subscribers and publisher sent and got', () => {
  const { leastBytes } = wireBounds(
    counters({ bytesIn: 1, bytesOut: 20 }),
    counters({ bytesIn: 20, bytesOut: 5000 }),
    counters({ bytesIn: 300, bytesOut: 4000 }),
    quiet,
  );
  assert.equal(leastBytes, 4321);
});

// 10 s; at most 1,000,000 bytes in 1,000 segments, at least 800,000 bytes.
const network = {
  segments: 900,
  wireBytes: 900_000,
  idleBytesPerS: 0,
  explained: { mostSegments: 1000, mostBytes: 1_000_000, leastBytes: 800_000 },
};
const said = (more: Partial<NonNullable<Completed['network']>>) =>
  wireOthers({ network: { ...network, ...more }, measuredUs: 10e6 }).map(({ code, level, message }) => {
    assert.deepEqual([code, level], ['wire-others', 'invalid']);
    return message;
  });

test('what the trial explains is its own, up to a twentieth and 16 KiB more', () => {
  assert.deepEqual(said({}), []);
  assert.deepEqual(said({ wireBytes: 1_066_384 }), []);
  const [message] = said({ wireBytes: 1_066_385 });
  assert.match(
    message!,
    /sent 1\.02 MiB in the measured phase, .* explain at most 977 KiB: 64\.8 KiB or more come from other programs/,
  );
});

test('segments likewise, up to 200 more', () => {
  assert.deepEqual(said({ segments: 1250 }), []);
  assert.match(said({ segments: 1251 })[0]!, /sent 1,251 TCP segments .* at most 1,000: 251 or more/);
});

test('what the host sends by itself must be little beside it', () => {
  // Over 10 s 45,000 bytes are a twentieth of 900,000.
  assert.deepEqual(said({ idleBytesPerS: 4500 }), []);
  assert.match(said({ idleBytesPerS: 4501 })[0]!, /sent 4\.4 KiB a second, .* is 5 % of what it sent then/);
  const small = { wireBytes: 100_000, explained: { mostSegments: 1000, mostBytes: 200_000, leastBytes: 0 } };
  assert.deepEqual(said({ ...small, idleBytesPerS: 1638 }), [], 'below 16 KiB in all');
  assert.equal(said({ ...small, idleBytesPerS: 1639 }).length, 1);
});

test('fewer bytes than the connections carried: they went past the counters', () => {
  // 800,000 less a twentieth and 16 KiB.
  assert.deepEqual(said({ wireBytes: 743_616 }), []);
  assert.match(said({ wireBytes: 743_615 })[0]!, /saw 726 KiB .* sent and got 781 KiB: .*another machine/);
});

test('nothing is said where nothing was counted, or an earlier version did not compare', () => {
  assert.deepEqual(wireOthers({ measuredUs: 1 }), []);
  assert.deepEqual(wireOthers({ measuredUs: 1, network: { segments: 9e9, wireBytes: 9e9 } }), []);
});

test('the idle host is read in five stretches of 60 ms, and the one in the middle counts', async () => {
  const fleet = fakeFleet();
  const bytes = [1000, 1000, 1600, 1600, 7600, 67_600]; // a second: 0, 10,000, 0, 100,000, 1,000,000
  const reading = {
    ...fleet,
    probe: { ...fleet.probe, networkCount: () => ({ segments: 0, bytes: bytes.shift()! }) },
  };
  const from = fleet.clock.nowUs();
  assert.equal(await idleBytesPerS({ fleet: reading, over: new AbortController().signal }), 10_000);
  assert.equal(fleet.clock.nowUs() - from, 300_000);
  const unread = { ...fleet, probe: { ...fleet.probe, networkCount: () => undefined } };
  assert.equal(await idleBytesPerS({ fleet: unread, over: new AbortController().signal }), undefined);
});
