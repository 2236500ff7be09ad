// Holds simulations of connections that come and go against figures worked out by hand: clients without
// chance, servers whose times are known.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { histogramOf } from '../../../core/result/load-histogram.ts';
import type { Profile } from '../../../core/profile/profile.ts';
import type { Changes, Simulated } from '../../../simulation/model.ts';
import { profileOf, scenarioOf, simulated, steadyMachine } from '../fixture.ts';

type Given = {
  pattern?: 'websocket' | 'sse';
  subscribers?: number;
  more?: string;
  rate?: string;
  kernel?: Partial<Profile['kernel']>;
};

/** A server that takes 200 us for a connection, as all of the profile's do. */
function run(
  faults: string,
  { pattern = 'websocket', subscribers = 1, more = '', rate = '10/s', kernel }: Given = {},
): Simulated {
  const scenario = scenarioOf(`question: What happens?
subscribers: ${subscribers}
topics: { t: { publish: ${rate} } }
faults: ${faults}
phases: { connect: 1s, warmup: 1s, measure: 10s, drain: 20s }
variants: [${pattern}]
${more}`);
  const usual = profileOf(steadyMachine);
  const profile = {
    ...usual,
    kernel: { ...usual.kernel, ...kernel },
    serverLife: { startUs: 100_000, stopUs: 10_000 },
  };
  return simulated({ scenario, pattern, profile });
}

const changesIn = ({ changes }: Simulated): Changes => changes!;
const cutIn = (one: Simulated) => changesIn(one).recovery!.cut!;
const longest = (one: Simulated) => histogramOf(cutIn(one).connected).maxUs;

test('a client of Phoenix knocks at a dead server by its list of waits, and is in when it is back', () => {
  // It is gone from 1 s to 1.6 s. Attempts: 1.01, 1.06, 1.16, 1.31, 1.51 and 1.76 s.
  const one = run('[{ at: 1s, kill: 1 }, { at: 1500ms, restart: 1 }]', {
    more: 'reconnect: phoenix\nservers: { broker: redis-streams }',
  });
  assert.equal(longest(one), 760_200);
  const { connects, cut } = changesIn(one).recovery!;
  assert.deepEqual([connects.tried, connects.opened, connects.refused], [6, 1, 5]);
  assert.deepEqual([cut!.absences, cut!.recovered, cut!.neverBack], [1, 1, 0]);
  assert.equal(changesIn(one).faults[1]!.tookUs, 100_000);
  assert.equal(one.ledger.missed, 0);
  // What was due from 1 s on waited for the publisher to find the server again.
  assert.ok(one.latency.endToEnd.maxUs >= 600_000);
});

test('what a process forgets as it dies is missed where nobody else has it, and the client is told', () => {
  // All leave at 1.05 s. The one server is killed at 2 s and listens again at 2.2 s; they are back at 4.05 s.
  const faults = '[{ at: 1050ms, leave: 100%, for: 3s }, { at: 2s, kill: 1 }, { at: 2100ms, restart: 1 }]';
  const empty = run(faults, { more: 'servers: { broker: redis-pubsub }' });
  const { left } = changesIn(empty).recovery!;
  assert.deepEqual([left!.recovered, left!.tooLate], [0, 1]);
  // Ten events a second: nine or ten of them were taken before the kill.
  assert.ok(empty.ledger.missed >= 9 && empty.ledger.missed <= 10, `${empty.ledger.missed}`);
  assert.equal(empty.ledger.missed + changesIn(empty).resumed, 30);
  const stream = run(faults, { more: 'servers: { broker: redis-streams }' });
  assert.deepEqual([stream.ledger.missed, changesIn(stream).resumed], [0, 30]);
  assert.equal(changesIn(stream).recovery!.left!.recovered, 1);
});

test('a history that is too short loses what it let go, and nothing else', () => {
  // Away for 2 s at 10 events a second, of which the server keeps five.
  const one = run('[{ at: 3s, leave: 100%, for: 2s }]', { more: 'server: { history: 5 }' });
  const { left } = changesIn(one).recovery!;
  assert.deepEqual([left!.absences, left!.tooLate], [1, 1]);
  assert.deepEqual([one.ledger.missed, changesIn(one).resumed], [15, 5]);
  const enough = run('[{ at: 3s, leave: 100%, for: 2s }]', { more: 'server: { history: 20 }' });
  assert.deepEqual([enough.ledger.missed, changesIn(enough).resumed], [0, 20]);
  assert.equal(changesIn(enough).recovery!.left!.recovered, 1);
});

test('a herd is taken at the rate of the thread, and a queue that is full makes it ask again', () => {
  const herd = (somaxconn: number) =>
    run('[{ at: 1s, disconnect: 100% }]', {
      subscribers: 1000,
      rate: '1/s',
      more: 'reconnect: phoenix',
      kernel: { somaxconn, tcpSynRetries: 6, tcpSynLinearTimeouts: 4 },
    });
  // All ask after 10 ms; the last of 1,000 is in 200 us each later.
  assert.equal(longest(herd(4096)), 10_000 + 1000 * 200);
  // 301 get in at once and 301 with each packet that is sent again, a second apart: the last 97 with the
  // third.
  const full = herd(300);
  assert.equal(longest(full), 10_000 + 3_000_000 + 97 * 200);
  assert.equal(changesIn(full).recovery!.connects.refused, 0, 'nobody is told');
  assert.equal(changesIn(full).recovery!.connects.peakPerS, 301);
});

test('a freeze puts off all that wait to be accepted, also those who are due after it', () => {
  const herd = (more: string) =>
    run(`[{ at: 1s, disconnect: 100% }${more}]`, {
      subscribers: 1000,
      rate: '1/s',
      more: 'reconnect: phoenix',
    });
  // All ask at 1.01 s, and the last is due at 1.21 s. The freeze lasts from 1.05 to 1.1 s.
  const frozen = herd(', { at: 1050ms, freeze: server, for: 50ms }');
  assert.equal(longest(frozen), 10_000 + 1000 * 200 + 50_000);
  // 199 are back before it, one is due in that very moment, and all others are 50 ms later.
  const sumUs = (one: Simulated) => histogramOf(cutIn(one).connected).sumUs;
  const later = (sumUs(frozen) - sumUs(herd(''))) / 50_000;
  assert.ok(later === 800 || later === 801, `${later}`);
});

test('a drain tells clients evenly, each moves once, and a server that lets go refuses', () => {
  const one = run('[{ at: 1s, drain: 1, window: 2s }]', {
    subscribers: 100,
    more: 'reconnect: phoenix\nservers: { count: 2, broker: redis-streams }',
  });
  const [drained] = changesIn(one).faults;
  assert.deepEqual(drained!.letGo, { servers: 1, told: 50, left: 50, closedAtLimit: 0 });
  assert.deepEqual([cutIn(one).absences, cutIn(one).recovered], [50, 50]);
  assert.equal(changesIn(one).recovery!.connects.refused, 0, 'there is one other');
  // The last of 50 is told after 49 parts of 50 of the window.
  assert.equal(cutIn(one).lastBackUs, 1_000_000 + 1_960_000 + 10_000 + 200);
  assert.deepEqual(
    changesIn(one).perServer.map(({ subscribers }) => subscribers),
    [0, 100],
  );
});

test('one of several servers that stops sends its clients to the others, and they stay there', () => {
  const one = run('[{ at: 5s, stop: 1 }, { at: 6s, restart: 1 }]', {
    subscribers: 10,
    more: 'reconnect: phoenix\nservers: { count: 2, broker: redis-streams }',
  });
  const { absences, recovered, neverBack } = cutIn(one);
  assert.deepEqual([absences, recovered, neverBack], [5, 5, 0]);
  // Each waits 10 ms, and is taken 200 us after the one before.
  assert.equal(longest(one), 10_000 + 5 * 200);
  assert.deepEqual(
    changesIn(one).perServer.map(({ subscribers }) => subscribers),
    [0, 10],
  );
});

test('a server alone that stops has its clients back when it has started again', () => {
  const one = run('[{ at: 5s, stop: 1 }, { at: 6s, restart: 1 }]', {
    subscribers: 10,
    more: 'servers: { count: 1, broker: redis-streams }',
  });
  assert.deepEqual([cutIn(one).neverBack, cutIn(one).recovered], [0, 10]);
});

test('a server that is started again waits until the process before has ended', () => {
  // It stops at 5 s, tells those who come back within 1.5 s that it is gone, and ends 10 ms later.
  const one = run('[{ at: 5s, stop: 1 }, { at: 6s, restart: 1 }]', {
    pattern: 'sse',
    subscribers: 10,
    more: 'servers: { count: 1, broker: redis-streams }',
  });
  const [stopped, started] = changesIn(one).faults;
  assert.equal(stopped!.tookUs, 1_510_000);
  assert.equal(started!.tookUs, 510_000 + 100_000);
  assert.deepEqual([cutIn(one).neverBack, cutIn(one).recovered], [0, 10]);
});

test('a restart of all starts those that ran before, and no other', () => {
  const one = run('[{ at: 1s, kill: 1 }, { at: 2s, restart: all }, { at: 4s, start: 2 }]', {
    more: 'servers: { broker: redis-streams }',
  });
  const [, restarted, started] = changesIn(one).faults;
  assert.deepEqual([restarted!.tookUs, started!.tookUs], [100_000, 100_000]);
  assert.equal(started!.atUs, 4_000_000);
});

test('a refusal lasts as long as the newest says, and no earlier one ends it', () => {
  const refuse = (at: string, length: string) => `{ at: ${at}, refuse: dependency-down, for: ${length} }`;
  const one = run(`[${refuse('1s', '2s')}, ${refuse('2s', '4s')}]`, {
    subscribers: 10,
    more: 'reconnect: phoenix',
  });
  const lastBackUs = (of: Simulated) => cutIn(of).lastBackUs!; // all are back
  assert.ok(lastBackUs(one) >= 6_000_000, `${lastBackUs(one)}`);
  // One that ends earlier ends at its own time too.
  const shorter = run(`[${refuse('1s', '6s')}, ${refuse('2s', '1s')}]`, {
    subscribers: 10,
    more: 'reconnect: phoenix',
  });
  assert.ok(lastBackUs(shorter) >= 3_000_000 && lastBackUs(shorter) < 7_000_000, `${lastBackUs(shorter)}`);
  assert.deepEqual([cutIn(shorter).absences, cutIn(shorter).neverBack], [10, 0]);
});

test('a server that closes what it accepts is knocked at again, and each of these connections counts', () => {
  const faults = '[{ at: 900ms, refuse: accept-then-close, for: 600ms }, { at: 1s, disconnect: 100% }]';
  const one = run(faults, { rate: '1/s', more: 'reconnect: phoenix' });
  // Attempts: 1.01, 1.06, 1.16, 1.31 and, after the end, 1.51 s.
  const { tried, opened, refused } = changesIn(one).recovery!.connects;
  assert.deepEqual([tried, opened, refused], [5, 5, 4]);
  assert.equal(longest(one), 510_200);
});

test('an EventSource comes back after the time that the server has told it', () => {
  const one = run('[{ at: 1s, disconnect: 100% }]', {
    pattern: 'sse',
    rate: '1/s',
    more: 'reconnect: eventsource',
  });
  assert.equal(longest(one), 1_000_200);
});

test('events of a server that stands still come when it goes on', () => {
  const one = run('[{ at: 5s, freeze: server, for: 2s }]', { rate: '1/s' });
  assert.equal(changesIn(one).recovery, undefined, 'nobody notices');
  assert.equal(one.ledger.missed, 0);
  assert.ok(one.latency.endToEnd.maxUs > 1_000_000 && one.latency.endToEnd.maxUs <= 2_100_000);
});

test('a server with more events than it has time for is saturated, with faults too', () => {
  const of = (rate: string) =>
    run('[{ at: 1s, disconnect: 10% }]', { subscribers: 1000, rate, more: 'reconnect: phoenix' });
  // With 1,000 receivers an event takes 9.06 ms.
  const [calm, full] = [of('50/s'), of('200/s')];
  assert.deepEqual([calm.saturated, full.saturated], [false, true]);
  assert.ok(Math.abs(calm.server.askedShare / 0.45 - 1) < 0.05, `${calm.server.askedShare}`);
  assert.ok(Math.abs(full.server.askedShare / 1.8 - 1) < 0.05, `${full.server.askedShare}`);
});

test('who is away hears no sign of life, and slots say how many are there', () => {
  const scenario = scenarioOf(`question: Who is there?
subscribers: 50
topics: { t: { publish: 1/s } }
faults: [{ at: 2s, leave: 100%, for: 5s }]
phases: { connect: 1s, warmup: 1s, measure: 10s, drain: 5s }
variants: [websocket]
`);
  const { counters, slots } = simulated({ scenario, pattern: 'websocket', options: { ping: '1s' } });
  // A ping a second to each, for five of the ten seconds.
  assert.ok(Math.abs(counters.heartbeats - 250) <= 5, `${counters.heartbeats}`);
  assert.deepEqual(
    slots.map(({ connected }) => connected),
    [50, 50, 0, 0, 0, 0, 0, 50, 50, 50],
  );
  assert.deepEqual([counters.handshakes, counters.connectionsClosed], [50, 50]);
});
