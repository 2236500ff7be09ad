// Durations, rates, sizes and shares, as people write them and as they are shown.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { duration, rate, share, size } from '../../../core/base/quantities.ts';
import {
  formatBytes,
  formatNumber,
  formatShare,
  formatUs,
  parseDurationMs,
  parseRatePerS,
  parseShare,
  parseSizeBytes,
  writeDuration,
  writeRate,
} from '../../../core/base/units.ts';

function table<T>(name: string, f: (value: T) => unknown, rows: [T, unknown][]) {
  for (const [given, expected] of rows)
    test(`${name} ${String(given)} is ${String(expected)}`, () => assert.equal(f(given), expected));
}

describe('reading', () => {
  table('duration', parseDurationMs, [
    ['250us', 0.25],
    ['250ms', 250],
    ['5s', 5000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['5', undefined],
    ['5 s', undefined],
    ['-5s', undefined],
    ['.5s', undefined],
    ['5S', undefined],
    ['5sec', undefined],
    ['', undefined],
    ['1e3ms', undefined],
  ]);
  table('rate', parseRatePerS, [
    ['200/s', 200],
    ['0.5/s', 0.5],
    ['2/ms', 2000],
    ['6/m', 0.1],
    ['3600/h', 1],
    ['86400/d', 1],
    ['0/s', 0],
    ['200', undefined],
    ['200/us', undefined],
    ['200 /s', undefined],
    ['/s', undefined],
  ]);
  table('size', parseSizeBytes, [
    ['256B', 256],
    ['4kB', 4000],
    ['1KiB', 1024],
    ['1.5KiB', 1536],
    ['2MB', 2e6],
    ['1MiB', 1_048_576],
    ['1GB', 1e9],
    ['1GiB', 2 ** 30],
    ['0.4B', 0],
    ['1KB', undefined],
    ['1K', undefined],
    ['256', undefined],
    ['256b', undefined],
  ]);
  table('share', parseShare, [
    ['50%', 0.5],
    ['0%', 0],
    ['100%', 1],
    ['12.5%', 0.125],
    ['0.5', undefined],
    ['%', undefined],
    ['50 %', undefined],
  ]);
});

describe('writing', () => {
  table('microseconds', formatUs, [
    [0, '0 µs'],
    [7, '7 µs'],
    [999, '999 µs'],
    [1000, '1 ms'],
    [1234, '1.23 ms'],
    [999_400, '999 ms'],
    [999_999, '1 s'],
    [1_234_567, '1.23 s'],
    [119e6, '119 s'],
    [120e6, '2 min'],
    [7200e6, '2 h'],
    [-1500, '-1.5 ms'],
  ]);
  table('bytes', formatBytes, [
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [1_048_576, '1 MiB'],
    [3 * 2 ** 30, '3 GiB'],
    [-2048, '-2 KiB'],
  ]);
  table('number', formatNumber, [
    [1_234_567, '1,234,567'],
    [0.123456, '0.123'],
    [12.345, '12.3'],
    [1234.5, '1,235'],
    [0, '0'],
  ]);
  table('share', formatShare, [
    [0.1534, '15.3 %'],
    [0, '0 %'],
    [1, '100 %'],
  ]);
  table('rate', writeRate, [
    [0, '0/s'],
    [200, '200/s'],
    [0.5, '0.5/s'],
    [1 / 6, '10/m'],
    [0.0025, '9/h'],
    [1 / 86_400, '1/d'],
    [1 / 7, '0.143/s'],
  ]);
  table('duration', writeDuration, [
    [0.25, '250us'],
    [250, '250ms'],
    [1500, '1.5s'],
    [5000, '5s'],
    [60_000, '1m'],
    [90_000, '1.5m'],
    [61_000, '61s'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
  ]);
});

test('a duration that was written reads as it was', () => {
  for (const ms of [16_100, 32_300, 64_100]) assert.equal(parseDurationMs(writeDuration(ms)), ms);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 9 }), (ms) =>
      assert.equal(parseDurationMs(writeDuration(ms)), ms),
    ),
  );
});

describe('in a scenario', () => {
  test('a quantity becomes a number', () => {
    assert.deepEqual(
      [duration.parse('5s'), rate.parse('6/m'), size.parse('1KiB'), share.parse('10%')],
      [5000, 0.1, 1024, 0.1],
    );
  });
  const wrong = [
    [duration, 5, 'a duration with its unit, such as 250ms, 5s or 2m'],
    [duration, '5', 'a duration with its unit, such as 250ms, 5s or 2m'],
    [rate, '200', 'a rate with its unit, such as 200/s or 6/m'],
    [size, '1KB', 'a size with its unit, such as 256B, 4kB or 1KiB'],
    [share, '0.5', 'a share with its unit, such as 10%'],
  ] as const;
  for (const [schema, given, message] of wrong) {
    test(`${JSON.stringify(given)} is refused with an example of what it should be`, () => {
      assert.deepEqual(
        schema.safeParse(given).error?.issues.map((issue) => issue.message),
        [message],
      );
    });
  }
});
