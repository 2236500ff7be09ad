// Patterns and their options: the labels of variants, defaults, and options that would harm a run.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { PatternRegistry } from '../../../core/pattern/pattern.ts';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { withFake } from '../../fake/pattern.ts';

function labelOf(pattern: PatternName, given: Record<string, unknown>): string {
  return variantOf(patterns, pattern, patterns[pattern].options.parse(given)).label;
}

test('who holds a connection or asks on a schedule meets its server though nothing happens', () => {
  for (const [name, pattern] of Object.entries<PatternRegistry[string]>(patterns)) {
    const { options } = variantOf(patterns, name as PatternName);
    const meets = pattern.meetsEveryMs?.(options) ?? 0;
    assert.equal(meets > 0, pattern.holdsConnection || pattern.asksEveryMs !== undefined, name);
    assert.ok(meets === 0 || Object.values(options).includes(meets), `${name}: as an option says`);
  }
});

describe('a variant is called by its pattern and the options that are not the usual ones', () => {
  const rows: [PatternName, Record<string, unknown>, string][] = [
    ['polling', {}, 'polling'],
    ['polling', { every: '1s', jitter: '10%', conditional: true, connection: 'keep-alive' }, 'polling'],
    ['polling', { every: '2s' }, 'polling every=2s'],
    [
      'polling',
      { every: '1500ms', jitter: '7%', conditional: false, connection: 'close' },
      'polling every=1.5s jitter=7% no-conditional connection=close',
    ],
    ['long-polling', { hold: '2m', batch: '50ms' }, 'long-polling hold=2m batch=50ms'],
    ['sse', { over: 'h2' }, 'sse h2'],
    ['sse', { over: 'h2c', retry: '0s' }, 'sse h2c retry=0us'],
    ['websocket', { deflate: true }, 'websocket deflate'],
    ['webhook', { retries: ['50ms', '2s'], concurrency: 8 }, 'webhook retries=50ms,2s concurrency=8'],
    ['webhook', { retries: [] }, 'webhook retries=none'],
  ];
  for (const [pattern, given, label] of rows) test(label, () => assert.equal(labelOf(pattern, given), label));

  test('a count of a pattern that is not ours is written as a count', () => {
    assert.equal(
      variantOf(
        withFake,
        'fake',
        withFake['fake']!.options.parse({ loseEvery: 100, latencies: ['1s', '2ms'], fail: 'server-dies' }),
      ).label,
      'fake latencies=1s,2ms loseEvery=100 fail=server-dies',
    );
  });
});

test('different options give different labels', () => {
  const options = fc.record({
    every: fc.integer({ min: 1, max: 5000 }),
    jitter: fc.integer({ min: 0, max: 1000 }),
    conditional: fc.boolean(),
  });
  const parse = ({
    every,
    jitter,
    conditional,
  }: {
    every: number;
    jitter: number;
    conditional: boolean;
  }) => ({ every: `${every}ms`, jitter: `${jitter / 10}%`, conditional });
  fc.assert(
    fc.property(options, options, (a, b) => {
      assert.equal(
        labelOf('polling', parse(a)) === labelOf('polling', parse(b)),
        JSON.stringify(a) === JSON.stringify(b),
      );
    }),
  );
});

test('a variant without options has the defaults filled in', () => {
  assert.deepEqual(variantOf(patterns, 'polling'), {
    pattern: 'polling',
    label: 'polling',
    options: { every: 1000, jitter: 0.1, conditional: true, gzip: false, connection: 'keep-alive' },
  });
  const { timeout, retries, jitter, concurrency, scheme, receivers, allow } = variantOf(
    patterns,
    'webhook',
  ).options;
  assert.deepEqual(
    { timeout, retries, jitter, concurrency, scheme, receivers, allow },
    {
      timeout: 10_000,
      retries: [1000, 5000, 30_000],
      jitter: 0.1,
      concurrency: 64,
      scheme: 'standard',
      receivers: 'listed',
      allow: 'auto',
    },
  );
});

describe('options that would harm the run are refused', () => {
  const rows: [PatternName, Record<string, unknown>, RegExp][] = [
    ['polling', { every: '0s' }, /less than 1ms is not possible/],
    ['polling', { every: '30d' }, /more than 24d is not possible/],
    ['webhook', { allow: ['10.0.0.1'] }, /not a network: write it as 10\.1\.0\.0\/16 or fd00::\/8/],
    ['webhook', { allow: ['10.0.0.0/33'] }, /not a network/],
    ['polling', { jitter: '101%' }, /more than 100% is not possible/],
    ['long-polling', { hold: '0s' }, /less than 1ms/],
    ['sse', { heartbeat: '500us' }, /less than 1ms/],
    ['websocket', { ping: '0ms' }, /less than 1ms/],
    ['webhook', { timeout: '0s' }, /less than 1ms/],
    ['webhook', { concurrency: 0 }, />=1/],
    ['webhook', { kafka: 'kafka://h:9092/t' }, /belongs to store: kafka, not to store: memory/],
    ['webhook', { store: 'kafka', kafka: 'kafka://u:p@h:9092/t' }, /without user and password/],
    ['webhook', { store: 'kafka', kafka: 'kafka://h:9092' }, /kafka:\/\/HOST:9092\/TOPIC/],
    ['webhook', { store: 'kafka', kafka: 'kafka://h:port/t' }, /an address such as kafka:/],
    ['webhook', { store: 'kafka', kafka: 'kafka://[::1]:9092/t' }, /IPv6 address; write a host name/],
    ['webhook', { store: 'kafka', fifo: true }, /an order needs one server that sees every delivery/],
    ['sse', { ovr: 'h2' }, /Unrecognized key/],
  ];
  for (const [pattern, given, message] of rows) {
    test(`${pattern} ${JSON.stringify(given)}`, () =>
      assert.match(patterns[pattern].options.safeParse(given).error?.message ?? 'accepted', message));
  }
});

test('how long an event may wait by design', () => {
  const waitMs = (pattern: PatternName, given: Record<string, unknown>) =>
    withFake[pattern]!.waitMs?.(patterns[pattern].options.parse(given)) ?? 0;
  assert.equal(waitMs('polling', { every: '2s', jitter: '50%' }), 3000);
  assert.equal(waitMs('long-polling', { batch: '70ms' }), 70);
  assert.equal(waitMs('sse', {}), 0);
});
