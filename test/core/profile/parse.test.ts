// Tests reading profiles: a text is read or refused with a sentence for the user, whatever is wrong with it,
// and the shipped profile has all that models know.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { parseProfile } from '../../../core/profile/parse.ts';
import type { Profile } from '../../../core/profile/profile.ts';
import { models } from '../../../simulation/registry.ts';
import { withCluster } from '../../simulation/cluster-profile.ts';
import { testProfile } from '../../simulation/profile.ts';

const profile = withCluster(testProfile);
const text = JSON.stringify(profile);

test('a profile comes back from its text', () => {
  assert.deepEqual(parseProfile(text, 'mine.json'), profile);
});

/** A profile that reads the same again, or why there is none. */
function readOrRefused(given: string): Profile | string {
  try {
    const read = parseProfile(given, 'mine.json');
    const written = JSON.stringify(read);
    assert.equal(JSON.stringify(parseProfile(written, 'again.json')), written);
    return read;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, 'profile');
    assert.match(error.message, /^mine\.json (?:is|has) .*calibrate|^mine\.json .*Upgrade pushbench/s);
    return error.message;
  }
}

test('a text that was cut or written over is no profile, and that is said', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: text.length - 1 }),
      fc.integer({ min: 1, max: 40 }),
      fc.string({ maxLength: 5 }),
      (at, gone, put) => void readOrRefused(text.slice(0, at) + put + text.slice(at + gone)),
    ),
    { numRuns: 200 },
  );
  assert.equal(typeof readOrRefused(text.slice(0, -1)), 'string');
});

/** The value with another one at a place: at each level the turn says which way to go. */
function replaced(value: unknown, turns: readonly number[], other: unknown): unknown {
  const [turn, ...rest] = turns;
  if (turn === undefined || typeof value !== 'object' || value === null) return other;
  const entries = Object.entries(value);
  if (entries.length === 0) return other;
  const at = turn % entries.length;
  const changed = entries.map(([key, one], i) => [key, i === at ? replaced(one, rest, other) : one] as const);
  return Array.isArray(value) ? changed.map(([, one]) => one) : Object.fromEntries(changed);
}

test('any value in any place is read or refused', () => {
  const turns = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(turns, fc.jsonValue(), (way, other) => {
      readOrRefused(JSON.stringify(replaced(profile, way, other)));
    }),
    { numRuns: 300 },
  );
});

test('figures below 0, missing ones, unknown ones and half a distribution are told with their place', () => {
  const sse = profile.variants['sse']!;
  const [point] = sse.points;
  const withPoint = (one: object) => ({ ...profile, variants: { sse: { ...sse, points: [one] } } });
  const { perS: _perS, ...without } = point!;
  const nats = profile.cluster!.brokers.nats!;
  const [broker] = nats.points;
  const withBroker = (one: object) => ({
    ...profile,
    cluster: { brokers: { nats: { ...nats, points: [one] } } },
  });
  for (const [given, place] of [
    [withPoint({ ...point, serverCpuShare: -0.1 }), /variants\.sse\.points\[0\]\.serverCpuShare/],
    [withPoint({ ...point, firstUs: point!.firstUs.slice(1) }), /variants\.sse\.points\[0\]\.firstUs/],
    [withPoint(without), /variants\.sse\.points\[0\]\.perS/],
    [withPoint({ ...point, more: 1 }), /variants\.sse\.points\[0\]/],
    [{ ...profile, variants: { sse: { ...sse, points: [] } } }, /variants\.sse\.points/],
    [withPoint({ ...point, perS: 0 }), /no point has events[^]*variants\.sse\.points/],
    [withBroker({ ...broker!, perS: 0 }), /cluster\.brokers\.nats\.points\[0\]\.perS/],
  ] as const) {
    const why = readOrRefused(JSON.stringify(given));
    assert.ok(typeof why === 'string');
    assert.match(why, place);
  }
});

test('every shipped profile has points of all patterns with a model, and quantiles that rise', () => {
  const files = globSync('profiles/*.json');
  assert.ok(files.length > 0);
  for (const file of files) {
    const shipped = parseProfile(readFileSync(file, 'utf8'), file);
    const measured = new Set(Object.values(shipped.variants).map(({ pattern }) => pattern));
    assert.deepEqual(
      Object.keys(models).filter((pattern) => !measured.has(pattern)),
      [],
      file,
    );
    for (const [label, { points }] of Object.entries(shipped.variants)) {
      assert.ok(
        points.some(({ perS }) => perS > 0),
        `${file}: ${label} has no point with events`,
      );
      for (const { firstUs, medianUs, lastUs, endToEndUs } of points)
        for (const distribution of [firstUs, medianUs, lastUs, endToEndUs])
          assert.deepEqual(
            distribution,
            distribution.toSorted((a, b) => a - b),
            `${file}: ${label}`,
          );
    }
  }
});
