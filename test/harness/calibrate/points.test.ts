// Tests which trials a profile is made of, and that their time is what is promised.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import {
  calibrated,
  full,
  planPoints,
  pointMs,
  quick,
  scenarioText,
  type Extent,
  type Point,
} from '../../../harness/calibrate/points.ts';

const names = calibrated(patterns);
const placeOf = ({ pattern, subscribers, perS }: Point) => `${pattern} ${subscribers} ${perS}`;
const minutesOf = (points: readonly Point[]) => points.reduce((sum, one) => sum + pointMs(one), 0) / 60_000;

test('every pattern is calibrated', () => {
  assert.deepEqual(names, ['polling', 'long-polling', 'http-stream', 'sse', 'websocket', 'webhook']);
});

test('the usual plan leaves a minute of its 10 for what runs again, the full one takes over an hour', () => {
  assert.ok(minutesOf(planPoints(names, patterns, quick)) <= 9);
  const minutes = minutesOf(planPoints(names, patterns, full));
  assert.ok(minutes > 50 && minutes * 60_000 <= full.budgetMs - 5 * 60_000, `${minutes}`);
});

test('a point of the full plan has 500 events or more, in two trials of different seeds', () => {
  const points = planPoints(names, patterns, full);
  for (const same of Map.groupBy(points, placeOf).values()) {
    const events = same.reduce((sum, { perS, measureMs }) => sum + (perS * measureMs) / 1000, 0);
    // But for the one that a server of webhooks carries at one event a second alone.
    assert.ok(events >= (same[0]!.perS > 1 ? 500 : 240), placeOf(same[0]!));
    assert.deepEqual(
      same.map(({ repetition }) => repetition),
      [1, 2],
    );
  }
  assert.notEqual(scenarioText(points[0]!), scenarioText({ ...points[0]!, repetition: 2 }));
});

test.each([
  ['quick', quick],
  ['full', full],
] as [string, Extent][])('%s: corners come first, of all patterns, and nothing twice', (_, extent) => {
  const points = planPoints(names, patterns, extent);
  const first = points.filter(({ repetition }) => repetition === 1);
  assert.deepEqual(
    first.slice(0, names.length).map(({ pattern, subscribers }) => [pattern, subscribers]),
    names.map((name) => [name, Math.max(...extent.subscribers)]),
  );
  assert.equal(new Set(first.map(placeOf)).size, first.length);
  // All trials of a repetition are over before the next one begins.
  assert.deepEqual(
    points.map(({ repetition }) => repetition),
    points.map(({ repetition }) => repetition).toSorted(),
  );
});

test('no point asks a server for more than a small machine carries', () => {
  for (const extent of [quick, full])
    for (const { pattern, subscribers, perS } of planPoints(names, patterns, extent))
      assert.ok(
        subscribers * perS <= ({ 'long-polling': 6000, webhook: 2000 }[pattern] ?? 30_000),
        `${pattern} ${subscribers} ${perS}`,
      );
});

test('every trial is a scenario', () => {
  for (const point of planPoints(names, patterns, quick)) {
    const { scenario } = parseScenario(scenarioText(point), {
      file: 'calibrate',
      registry: patterns,
      overrides: [],
    });
    assert.equal(scenario.subscribers, point.subscribers);
    assert.deepEqual(scenario.topics['news']!.publish, { kind: 'constant', perS: point.perS });
    assert.equal(scenario.phases.measure, point.measureMs);
  }
});
