// Which of a scenario's variants run against which target, and why others do not.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { accessOf } from '../../../core/target/access.ts';
import { parseTarget } from '../../../core/target/file.ts';
import type { PreparedTarget } from '../../../harness/target/target-peer.ts';
import { connectionsEach, withTargets } from '../../../harness/target/variants.ts';

const scenarioOf = (yaml: string) =>
  parseScenario(
    '{ question: Which?, subscribers: 10, phases: { drain: 10s }, topics: { news: { publish: 5/s }, ' +
      'inbox: { count: per-subscriber, publish: 5/s }, rooms: { count: ' +
      `8, follow: 3, publish: 5/s } }, ${yaml} }`,
    { file: 'which.yaml', registry: patterns, overrides: [] },
  ).scenario;

function target(name: string, subscribe: string): PreparedTarget {
  const file = parseTarget(
    `{ name: ${name}, url: "http://127.0.0.1:1", publish: /p, subscribe: ${subscribe} }`,
    `${name}.yaml`,
  );
  return {
    name,
    url: file.url,
    access: accessOf(file, `${name}.yaml`, {}, () => ''),
    hosts: [],
    pid: undefined,
    notes: [],
  };
}

const all = target('all', '{ polling: /a, long-polling: /b, http-stream: /c, sse: /d, websocket: /e }');
const some = target('some', '{ sse: "/d/{topic}" }');

test(
  'each variant with its rivals beside it, options of the client ' +
    'kept and those of the server left to the target',
  () => {
    const { scenario, leftOut } = withTargets(
      scenarioOf(
        'variants: [sse, { polling: { every: 5s, conditional: false, gzip: true } }, { sse: { gzip: true, ' +
          'heartbeat: 5s } }, { websocket: { deflate: true, ping: 5s } }, webhook]',
      ),
      patterns,
      [all, some],
      true,
    );
    assert.deepEqual(
      scenario.variants.map(({ label, target: of }) => [label, of]),
      [
        ['sse', undefined],
        ['sse @all', 'all'],
        ['sse @some', 'some'],
        ['polling every=5s no-conditional gzip', undefined],
        ['polling every=5s gzip @all', 'all'],
        ['sse gzip heartbeat=5s', undefined],
        ['sse gzip @all', 'all'],
        ['sse gzip @some', 'some'],
        ['websocket deflate ping=5s', undefined],
        ['websocket deflate @all', 'all'],
        ['webhook', undefined],
      ],
    );
    assert.deepEqual(
      leftOut.map(({ target: of, variant, reason }) => `${variant} @${of}: ${reason}`),
      [
        'polling every=5s no-conditional gzip @some: the target file ' +
          'does not describe it (subscribe.polling)',
        'websocket deflate ping=5s @some: the target file does not describe it (subscribe.websocket)',
        'webhook @all: a target has its own way to register receivers, which a target file cannot describe',
        'webhook @some: a target has its own way to register receivers, which a target file cannot describe',
      ],
    );
  },
);

test('variants that differ in options of the server alone run once, and HTTP/2 not at all', () => {
  const { scenario, leftOut } = withTargets(
    scenarioOf('variants: [sse, { sse: { heartbeat: 5s } }, { sse: { over: h2 } }]'),
    patterns,
    [all],
    false,
  );
  assert.deepEqual(
    scenario.variants.map(({ label }) => label),
    ['sse @all'],
  );
  assert.deepEqual(
    leftOut.map(({ variant, reason }) => `${variant}: ${reason}`),
    [
      'sse heartbeat=5s: it is "sse" but for options of the server, which the target sets itself',
      'sse h2: targets are spoken to over HTTP/1.1',
    ],
  );
});

test('a target that no variant can run against is refused, also beside our own servers', () => {
  const sockets = target('sockets', '{ websocket: /e }');
  assert.throws(() => withTargets(scenarioOf('variants: [sse, polling]'), patterns, [all, sockets], true), {
    code: 'target-nothing',
    message:
      'No variant of "which" can run against sockets:\n' +
      '  - sse @sockets: the target file does not describe it (subscribe.sse).\n' +
      '  - polling @sockets: the target file does not describe it (subscribe.polling).',
  });
});

test('connections of a subscriber: one for each topic where a connection carries one', () => {
  const scenario = scenarioOf('variants: [sse]');
  assert.equal(connectionsEach(scenario, []), 1);
  assert.equal(connectionsEach(scenario, [all]), 1);
  assert.equal(connectionsEach(scenario, [all, some]), 5);
});
