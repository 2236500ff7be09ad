// Tests that each simulation says what it leaves out, and nothing of what it has: a reader who is not told
// takes it to be in the figures.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Profile } from '../../core/profile/profile.ts';
import { withCluster } from './cluster-profile.ts';
import { profileOf, scenarioOf, simulated, steadyMachine, type Asked } from './fixture.ts';

const profile: Profile = withCluster(profileOf(steadyMachine));

type Given = Pick<Asked, 'options'> & { more?: string; rate?: string; from?: Profile };

function leftOutOf(pattern: string, given: Given = {}): string {
  const { more = '', rate = '4/s', from = profile, ...rest } = given;
  const scenario = scenarioOf(`question: What is not in it?
subscribers: 20
topics: { news: { publish: ${rate} } }
phases: { connect: 1s, warmup: 1s, measure: 5s, drain: 5s }
variants: [${pattern}]
${more}
`);
  return simulated({ scenario, pattern, profile: from, ...rest }).leavesOut.join('\n');
}

const asMeasured: Profile = {
  ...profile,
  serverLife: { startUs: 1000, stopUs: 1000 },
  kernel: { somaxconn: 4096, tcpSynRetries: 6, tcpSynLinearTimeouts: 4 },
};
const cut = 'faults: [{ at: 1s, disconnect: 50% }]';
const several = (front: string) => `servers: { count: 2, broker: nats, in-front: ${front} }`;

/** What is said, where it is, and where it is not. */
const rows: [RegExp, [string, Given?], [string, Given?]][] = [
  [
    /^The cost of gzip=true \(measured with false\): the profile has not measured it/m,
    ['sse', { options: { gzip: true } }],
    ['sse'],
  ],
  [/^How much compression saves/m, ['sse', { options: { gzip: true } }], ['sse']],
  [/^How much compression saves/m, ['polling', { options: { gzip: true } }], ['polling']],
  [/^How much compression saves/m, ['websocket', { options: { deflate: true } }], ['websocket']],
  [/^The bytes of what the server announces/m, ['sse', { more: 'server: { announce: 1s }' }], ['sse']],
  [/^Subscribers that read too slowly/m, ['http-stream'], ['polling']],
  [/^The time from the publisher to the server/m, ['polling'], ['sse']],
  [
    /^Events that are gone before a poll comes for them: the history keeps 3 of each topic\.$/m,
    ['polling', { more: 'server: { history: 3 }' }],
    ['polling', { more: 'server: { history: 8 }' }],
  ],
  [
    /^Longer answers when many polls come at once/m,
    ['polling', { rate: '{ bursts: { size: 3, every: 1s } }' }],
    ['polling'],
  ],
  [
    /^The server's cost of collecting events/m,
    ['long-polling', { options: { batch: '50ms' } }],
    ['long-polling'],
  ],
  [
    /^How long 4 processes \(2 of servers\) wait for one another on the 1 cores/m,
    ['sse', { more: several('haproxy') }],
    ['sse'],
  ],
  [
    /^An uneven distribution by HAProxy/m,
    ['sse', { more: several('haproxy') }],
    ['sse', { more: several('list') }],
  ],
  [
    /^Changes of HAProxy to heads, chunks and cookies/m,
    ['sse', { more: several('haproxy') }],
    ['websocket', { more: several('haproxy') }],
  ],
  [
    /^Requests that go to another server than the one before/m,
    ['polling', { more: several('haproxy') }],
    ['polling', { more: several('haproxy-sticky') }],
  ],
  [
    /^How long a server takes to start and to end/m,
    ['sse', { more: cut }],
    ['sse', { more: cut, from: asMeasured }],
  ],
  [
    /^The time that the broker adds to an event/m,
    ['sse', { more: `servers: { count: 2, broker: redis-streams }\n${cut}` }],
    ['sse', { more: cut }],
  ],
  [
    /^Servers that share a core/m,
    ['sse', { more: `servers: { count: 2, broker: redis-streams }\n${cut}` }],
    ['sse', { more: cut }],
  ],
  [/^The answer time of endpoints/m, ['webhook'], ['sse']],
  [/^What the store \(\w+\) takes/m, ['webhook', { options: { fifo: true } }], ['webhook']],
];

describe('it says', () => {
  test.for(rows)('%s', ([said, is, isNot]) => {
    assert.match(leftOutOf(...is), said);
    assert.doesNotMatch(leftOutOf(...isNot), said);
  });
});

test('what all leave out is said of each, and what the kernel is taken to be where nobody knows', () => {
  for (const pattern of ['polling', 'long-polling', 'http-stream', 'sse', 'websocket', 'webhook'])
    assert.match(leftOutOf(pattern), /^Garbage collection and other programs/m, pattern);
  const [unknown, known] = [profile, asMeasured].map((from) => leftOutOf('sse', { more: cut, from }));
  assert.match(unknown!, /somaxconn/);
  assert.doesNotMatch(known!, /somaxconn/);
});
