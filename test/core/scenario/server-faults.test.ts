// Holds which faults of servers and brokers a scenario cannot ask for, each with its reason, and which it
// can.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';

const cluster = 'servers: { count: 3, broker: redis-streams }';
const alone = '';

function problemOf(
  servers: string,
  faults: string,
  more = 'variants: [sse]\ntopics: { news: { publish: 10/s } }',
): string {
  const head = 'question: What goes?\nsubscribers: 10\nphases: { measure: 20s }';
  const yaml = [head, more, servers, `faults: [${faults}]`, ''].join('\n');
  try {
    parseScenario(yaml, { file: 'servers.yaml', registry: patterns, overrides: [] });
    return '';
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.message;
  }
}

test.each([
  [cluster, '{ at: 1s, stop: 4 }', 'there is no server 4 then: the scenario has 3 (servers.count)'],
  [cluster, '{ at: 1s, restart: 2 }', 'server 2 runs then; stop or kill it before'],
  [cluster, '{ at: 1s, restart: all }', 'all servers run then, so none starts again'],
  [cluster, '{ at: 1s, kill: 2 }, { at: 2s, stop: 2 }', 'server 2 does not run any more then'],
  [
    cluster,
    '{ at: 1s, kill: 2 }, { at: 2s, freeze: server, for: 1s, server: 2 }',
    'server 2 does not run then',
  ],
  [cluster, '{ at: 1s, kill: 10% }', 'this share of 3 servers is less than one'],
  [cluster, '{ at: 1s, kill: all }, { at: 2s, stop: 50% }', 'no server runs then'],
  [cluster, '{ at: 1s, start: 2 }', 'server 2 runs from the beginning; the next is 4'],
  [cluster, '{ at: 1s, start: 5 }', 'numbered on from 4, and one is left out'],
  [cluster, '{ at: 1s, start: 4 }, { at: 2s, start: 4 }', 'server 4 has started before'],
  [cluster, '{ at: 1s, disconnect: 50%, server: 7 }', 'there is no server 7 then'],
  [alone, '{ at: 1s, kill: 1 }, { at: 2s, restart: 1 }', 'a server alone numbers its events'],
  [alone, '{ at: 1s, broker: kill }', 'nothing connects these servers, so there is no broker'],
  ['servers: { count: 2 }', '{ at: 1s, broker: restart, for: 1s }', 'so there is no broker'],
  [
    'servers: { count: 2, broker: kafka }',
    '{ at: 1s, broker: restart, for: 1s }',
    'loses everything when it ends, so it cannot come back; freeze it',
  ],
  [
    'servers: { count: 2, broker: kafka }',
    '{ at: 1s, network: { latency: 5ms }, between: broker, for: 1s }',
    'no network can be put in between; try redis-streams or jetstream',
  ],
  [
    'servers: { broker: { kind: nats, url: "nats://127.0.0.1:4222" } }',
    '{ at: 1s, broker: kill }',
    'runs already where servers.broker.url says, and is not ours to stop',
  ],
  [cluster, '{ at: 1s, broker: freeze }', 'say for how long'],
  [cluster, '{ at: 1s, freeze: load, for: 1s, server: 1 }', 'it names the server to freeze'],
  [cluster, '{ at: 19s, broker: kill, for: 1h }', 'the absence of the broker would last until'],
])('%s with %s is refused: %s', (servers, faults, says) => {
  const problem = problemOf(servers, faults);
  assert.ok(problem.includes(says), problem);
});

const webhooks = (options: string) =>
  `variants: [{ webhook: { ${options} } }]\ntopics: { news: { publish: 10/s } }`;
const chat = 'variants: [sse]\ntopics: { chat: { publish: 1/s, by: subscribers } }';

test.each([
  [
    cluster,
    webhooks('store: sqlite'),
    'its own process, and only store: redis, sqs or kafka is shared by several',
  ],
  [cluster, webhooks('store: redis'), 'shares its store, so a broker has nothing to connect there'],
  [
    'servers: { count: 2, in-front: haproxy }',
    webhooks('store: redis'),
    'calls its subscribers, so nobody goes through HAProxy',
  ],
  ['servers: { count: 3 }', chat, 'subscribers publish on "chat", and nothing connects these servers'],
])('%s with %s is refused: %s', (servers, more, says) => {
  const problem = problemOf(servers, '', more).replace(/\s+/g, ' ');
  assert.ok(problem.includes(says), problem);
});

test.each([
  ['servers: { count: 3 }', webhooks('store: redis')],
  [cluster, chat],
  ['servers: { broker: nats }', chat],
])('%s with %s can be asked for', (servers, more) => {
  assert.equal(problemOf(servers, '', more), '');
});

test.each([
  [cluster, '{ at: 2s, restart: 2 }, { at: 1s, kill: 2 }'],
  [cluster, '{ at: 1s, kill: all }, { at: 2s, restart: all }, { at: 3s, stop: 50% }'],
  [cluster, '{ at: 1s, start: 5 }, { at: 2s, start: 4 }, { at: 3s, kill: 5 }'],
  [cluster, '{ at: 1s, broker: kill }'],
  [alone, '{ at: 1s, kill: 1 }'],
  [alone, '{ at: 1s, stop: all }'],
  ['servers: { broker: jetstream }', '{ at: 1s, kill: 1 }, { at: 2s, restart: 1 }'],
])('%s with %s can be asked for', (servers, faults) => {
  assert.equal(problemOf(servers, faults), '');
});
