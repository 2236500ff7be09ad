// Networks of scenarios: what can be written, what it comes to, and what is refused with its reason.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { didOf, effectsOf } from '../../../core/fault/faults.ts';
import { describeConditions } from '../../../core/network/conditions.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { networksOf } from '../../../core/scenario/network.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { base, mistakesIn } from '../base/mistakes.ts';

const read = (yaml: string) =>
  parseScenario(`${base}${yaml}`, { file: 'test.yaml', registry: patterns, overrides: [] }).scenario;

test('without a word of it there is none', () => {
  const scenario = read('');
  assert.equal(scenario.network, undefined);
  assert.deepEqual(networksOf(scenario), []);
});

test('a steady network is read with its units', () => {
  const { network } = read(
    'network: { latency: 40ms, jitter: 10ms, bandwidth: { down: 2MiB/s, up: 64kB/s }, loss: 1%, idle: 60s, ' +
      'upgrade: refused, responses: buffered }\nvariants: [sse, websocket]',
  );
  assert.deepEqual(network, {
    between: 'clients',
    conditions: {
      latencyMs: 40,
      jitterMs: 10,
      bandwidth: { up: 64_000, down: 2 * 1024 ** 2 },
      loss: 0.01,
      idleMs: 60_000,
      upgrade: 403,
      bufferBytes: 8192,
    },
  });
  assert.equal(
    describeConditions(network.conditions),
    'latency 40ms ± 10ms each way, 62.5 KiB/s up and 2 MiB/s down, 1 % of segments lost, ' +
      'connections silent for 1m cut, Upgrade answered 403, responses held up to 8 KiB',
  );
});

test('a fault of the network says what becomes of it, for which side, and for how long', () => {
  const { faults } = read(
    'variants: [sse]\nservers: { count: 3, broker: nats }\n' +
      'faults: [{ at: 1s, network: { silence: down }, share: 20%, for: 2s }, ' +
      '{ at: 2s, network: { reset: true } }, ' +
      '{ at: 3s, network: { partition: true }, between: broker, for: 1s }]',
  );
  assert.deepEqual(
    faults.map((fault) => didOf(fault)),
    [
      '20 % of the connections of subscribers: nothing passed from the servers for 2s',
      'all connections of subscribers: reset',
      'the connections of all servers to their broker: connections reset, new ones too for 1s',
    ],
  );
  assert.deepEqual(networksOf({ faults, network: undefined }), ['clients', 'broker']);
});

test('what loses bytes explains that the two sides count differently, and nothing else does', () => {
  const loses = (fault: string) => {
    const { faults } = read(`variants: [sse]\nservers: { broker: nats }\nfaults: [${fault}]`);
    return effectsOf(faults, 8000).losesBytes;
  };
  assert.equal(loses('{ at: 1s, network: { latency: 1s, loss: 1% }, for: 1s }'), false);
  assert.equal(loses('{ at: 1s, network: { reset: true } }'), true);
  assert.equal(loses('{ at: 1s, network: { silence: both }, for: 1s }'), true);
  assert.equal(loses('{ at: 1s, network: { silence: both }, between: broker, for: 1s }'), false);
});

describe('what cannot be, or would reach nobody, is refused', () => {
  const rows: [reads: string, text: string, mistake: RegExp][] = [
    [
      'jitter beyond latency',
      'network: { latency: 5ms, jitter: 6ms }',
      /network\.jitter: jitter is more than/,
    ],
    ['a network that is as it was', 'network: { between: clients }', /network: it sets no property/],
    ['a bandwidth of nothing', 'network: { bandwidth: 1B/s }', /less than 1KiB\/s is not possible/],
    ['a loss of nearly all', 'network: { loss: 51% }', /a loss is more than 0%, and 50% at most/],
    ['a broker where there is none', 'network: { latency: 1ms, between: broker }', /there is no broker/],
    [
      'HTTP between servers and broker',
      'servers: { broker: nats }\nnetwork: { responses: buffered, between: broker }',
      /upgrade and responses apply to HTTP/,
    ],
    [
      'webhooks, which go the other way',
      'network: { latency: 1ms }\nvariants: [sse, webhook]',
      /the deliveries of "webhook" go from the servers/,
    ],
    [
      'Upgrade where nobody asks for one',
      'network: { upgrade: 502 }\nvariants: [sse]',
      /network\.upgrade: no variant is a WebSocket/,
    ],
    [
      'responses where there are none',
      'network: { responses: 4KiB }\nvariants: [websocket]',
      /network\.responses: every variant is a WebSocket/,
    ],
    [
      'looking into HTTP/2',
      'network: { responses: 4KiB }\nvariants: [{ sse: { over: h2 } }]',
      /"sse h2" speaks HTTP\/2/,
    ],
    [
      'looking into what is encrypted',
      'server: { tls: true }\nnetwork: { responses: 4KiB }',
      /clear text; leave them or server\.tls out/,
    ],
    [
      'a moment that lasts',
      'faults: [{ at: 1s, network: { reset: true }, for: 1s }]',
      /a reset happens at once; leave it out/,
    ],
    [
      'a share of nobody',
      'faults: [{ at: 1s, network: { reset: true }, share: 1% }]',
      /faults\[0\]\.network: 1 % of 10 subscribers is none/,
    ],
    [
      'slow readers of short answers',
      'faults: [{ at: 1s, slow: 50%, for: 1s }]\nvariants: [sse, polling]',
      /there is nothing to slow in polling/,
    ],
  ];
  for (const [reads, text, mistake] of rows)
    test(reads, () => {
      const variants = text.includes('variants') ? '' : 'variants: [sse, websocket]\n';
      const all = mistakesIn(`${base}${variants}${text}`);
      assert.match(all.join('\n'), mistake);
      assert.equal(all.length, 1, all.join('\n'));
    });
});
