// Tests which patterns metrics are said to have: by their entries in the registry, and in simulated trials of
// all of them, where no other pattern may have such a figure.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { simulate } from '../../../api/index.ts';
import { asks, calls, connects, streams } from '../../../core/metrics/who-has.ts';
import { metrics } from '../../../core/metrics/registry.ts';
import type { Pattern } from '../../../core/pattern/pattern.ts';
import { patternNamed, patterns } from '../../../core/pattern/registry.ts';

test('the groups are made of the patterns that are meant', () => {
  const those = (isOne: (pattern: Pattern) => boolean) =>
    Object.entries<Pattern>(patterns).flatMap(([name, pattern]) => (isOne(pattern) ? [name] : []));
  assert.deepEqual(those(calls), ['webhook']);
  assert.deepEqual(those(connects), ['polling', 'long-polling', 'http-stream', 'sse', 'websocket']);
  assert.deepEqual(those(asks), ['polling', 'long-polling', 'websocket']);
  assert.deepEqual(those(streams), ['http-stream', 'sse', 'websocket']);
});

for (const scenario of ['compare', 'webhook-outage', 'reconnect-storm'])
  test(`in ${scenario} no pattern has a figure of a metric that is said not to be its own`, async () => {
    const { result, figures: all } = await simulate({ scenario });
    assert.ok(all.length > 0);
    const patternOf = new Map(result.trials.map(({ variant }) => [variant.label, variant.pattern]));
    for (const { variant, figures } of all) {
      const pattern = patternNamed(patternOf.get(variant)!)!; // they are ours
      for (const [name, { value }] of Object.entries(figures))
        assert.ok(value === 0 || (metrics[name]!.has?.(pattern) ?? true), `${variant}: ${name} is ${value}`);
    }
  });
