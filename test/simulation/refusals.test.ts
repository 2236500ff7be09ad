// Tests what cannot be simulated: each reason is told, with what to set where that helps, and with it set the
// reason is gone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';
import type { Profile } from '../../core/profile/profile.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { servers as serversSchema } from '../../core/scenario/servers.ts';
import { models } from '../../simulation/registry.ts';
import { obstaclesTo, whyNotSimulated } from '../../simulation/refusals.ts';
import { withCluster } from './cluster-profile.ts';
import { profileOf, steadyMachine } from './fixture.ts';

const bare = profileOf(steadyMachine);
const profile = withCluster(bare);

const written = (source: string, overrides: readonly string[] = []): Scenario =>
  parseScenario(source, { file: 'a.yaml', registry: patterns, overrides }).scenario;

const plain = (more: string, ofTopic = '') =>
  `question: Why not?\nsubscribers: 60\ntopics: { news: { publish: 4/s${ofTopic} } }\n` +
  `variants: [websocket]\n${more}\n`;

describe('what a setting takes away', () => {
  test.for([
    ['TLS', plain('server: { tls: true }'), /^server\.tls: no profile has its costs/],
    ['tokens', plain('server: { auth: true }'), /^server\.auth: no profile has its costs/],
    ['messages', plain('', ', by: subscribers'), /^topics\.news\.by: no model has messages of subscribers/],
  ] as const)('%s', ([_name, source, reason]) => {
    const [told, ...others] = obstaclesTo(written(source), profile);
    assert.match(told!, reason);
    assert.deepEqual(others, []);
    const settings = [...told!.matchAll(/--set ([\w.]+=\w+)/g)].map(([, setting]) => setting!);
    assert.equal(settings.length, 1);
    assert.deepEqual(obstaclesTo(written(source, settings), profile), []);
  });
});

test('a bad network and pages of browsers ask for a copy of the scenario', () => {
  const obstacles = (name: string) => {
    const { scenario } = parseScenario(readFileSync(`scenarios/${name}.yaml`, 'utf8'), {
      file: `${name}.yaml`,
      registry: patterns,
      overrides: [],
    });
    return obstaclesTo(scenario.cells[0]?.scenario ?? scenario, profile).join('\n');
  };
  assert.match(obstacles('lossy-network'), /^network: .*copy of the scenario without "network"\.$/m);
  assert.match(obstacles('six-connections'), /^browser: .*copy of the scenario without "browser"\.$/m);
});

const steady = written(plain(''));
const withServers = (servers: object): Scenario => ({ ...steady, servers: serversSchema.parse(servers) });

test('servers need a broker and HAProxy that the profile has, and room for all', () => {
  const both = withServers({ count: 2, broker: 'nats', 'in-front': 'haproxy' });
  assert.deepEqual(obstaclesTo(both, profile), []);
  const [broker, front, ...others] = obstaclesTo(both, bare);
  assert.match(broker!, /^servers\.broker: the profile no machine has no figures of nats; .*calibrate/);
  assert.match(front!, /^servers\.in-front: the profile no machine has no figures of HAProxy; .*calibrate/);
  assert.deepEqual(others, []);
  assert.deepEqual(obstaclesTo(both), [], 'as long as no profile is known');
  const [kafka] = obstaclesTo(withServers({ count: 2, broker: 'kafka' }), profile);
  assert.match(kafka!, /^servers\.broker: no profile has figures of Kafka/);
  const narrow = (maxconn: number) =>
    obstaclesTo(withServers({ count: 2, broker: 'nats', 'in-front': { kind: 'haproxy', maxconn } }), profile);
  assert.match(narrow(29)[0]!, /^servers\.in-front\.maxconn: .* a server would have 30 subscribers/);
  assert.deepEqual(narrow(30), []);
});

const whyNot = (
  pattern: keyof typeof patterns,
  {
    options = {},
    scenario = steady,
    from = profile,
    known = models,
  }: { options?: object; scenario?: Scenario; from?: Profile; known?: typeof models } = {},
) => {
  const variant = variantOf(patterns, pattern, patterns[pattern].options.parse(options));
  return whyNotSimulated(variant, scenario, known, from, patterns);
};

test('every pattern is simulated as it is by default', () => {
  for (const pattern of Object.keys(patterns) as (keyof typeof patterns)[])
    assert.equal(whyNot(pattern), undefined, pattern);
});

test('a variant without a model, without a point, or that moves to another pattern', () => {
  assert.equal(whyNot('sse', { known: {} }), 'there is no model of this pattern');
  const { sse: _sse, ...variants } = profile.variants;
  assert.equal(
    whyNot('sse', { from: { ...profile, variants } }),
    'the profile no machine has no point of this pattern',
  );
  assert.match(whyNot('websocket', { options: { fallback: ['sse'] } })!, /fall back to another transport/);
  const scenario = written(plain('faults: [{ at: 1s, disconnect: 50% }]'));
  assert.equal(whyNot('sse', { scenario }), undefined);
  assert.match(whyNot('sse', { scenario, options: { over: 'h2' } })!, /use over: h1/);
  assert.match(whyNot('polling', { scenario })!, /--set 'faults=\[\]'/);
});

test('behind HAProxy: HTTP/2, cursors of other servers, silence, and patterns that were not measured', () => {
  const behind = (servers: object) => ({ scenario: withServers({ count: 2, broker: 'nats', ...servers }) });
  const front = behind({ 'in-front': 'haproxy' });
  assert.equal(whyNot('sse', front), undefined);
  assert.match(whyNot('sse', { ...front, options: { over: 'h2' } })!, /HAProxy when it passes HTTP\/2 on/);
  for (const pattern of ['polling', 'long-polling'] as const) {
    assert.match(whyNot(pattern, front)!, /with nats servers do not know one another's cursors/);
    assert.equal(whyNot(pattern, behind({ 'in-front': 'haproxy-sticky' })), undefined);
    assert.equal(whyNot(pattern, behind({ broker: 'redis-streams', 'in-front': 'haproxy' })), undefined);
  }
  const impatient = behind({ 'in-front': { kind: 'haproxy', idle: '10s' } });
  assert.match(whyNot('websocket', impatient)!, /silent for 10 s, and these are for up to 25 s/);
  assert.equal(whyNot('websocket', { ...impatient, options: { ping: '9s' } }), undefined);
  const { sse: _sse, ...variants } = profile.cluster!.haproxy!.variants;
  const cluster = { ...profile.cluster!, haproxy: { ...profile.cluster!.haproxy!, variants } };
  assert.match(
    whyNot('sse', { ...front, from: { ...profile, cluster } })!,
    /^the profile no machine has no figures of this pattern through HAProxy$/,
  );
});
