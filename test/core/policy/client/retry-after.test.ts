// The field Retry-After in both of its forms, with undici's reader of HTTP dates as the oracle.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { parseHttpDateMs, parseRetryAfterMs } from '../../../../core/policy/client/retry-after.ts';

// undici has no types for its inner files.
const { parseHttpDate } = createRequire(import.meta.url)('undici/lib/util/date.js') as {
  parseHttpDate(text: string): Date | undefined;
};

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('Retry-After', () => {
  for (const [header, ms] of [
    ['120', 120_000],
    ['0', 0],
    ['2592000', 2_592_000_000],
    ['9'.repeat(400), Infinity],
    ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
    ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
    ['Friday, 02-Jan-26 03:05:05 GMT', 60_000],
    ['Fri Jan  2 03:05:05 2026', 60_000],
    ['', undefined],
    ['soon', undefined],
    ['-5', undefined],
    ['+5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['1, 2', undefined],
    ['2026-01-02', undefined],
    ['Nonsense, 99 Foo GMT', undefined],
    ['Fri, 02 Jan 2026 03:05:05 UTC', undefined],
    ['Fri, 02 Jan 2026 03:05:05', undefined],
    ['Fri, 02 Jan 2026 24:00:00 GMT', undefined],
    ['Mon, 30 Feb 2026 03:05:05 GMT', undefined],
  ] as const) {
    const shown = header.length > 40 ? `${header.slice(0, 40)}...` : header;
    test(`"${shown}" is ${ms === undefined ? 'nothing to go by' : `${ms} ms`}`, () =>
      assert.equal(parseRetryAfterMs(header, nowMs), ms));
  }
});

describe('an HTTP date', () => {
  const pad = (n: number) => String(n).padStart(2, '0');
  const names = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  const forms: [name: string, write: (date: Date) => string][] = [
    ['as it is written today', (date) => date.toUTCString()],
    [
      'as RFC 850 wrote it, with the century of what is nearest',
      (date) => {
        const [, day, month, year, time] = date.toUTCString().split(' ');
        return `${names[date.getUTCDay()]}, ${day}-${month}-${year!.slice(2)} ${time} GMT`;
      },
    ],
    [
      "as C's asctime() writes it",
      (date) => {
        const [weekday, , month, year, time] = date.toUTCString().split(' ');
        const day = String(date.getUTCDate()).padStart(2, ' ');
        return `${weekday!.slice(0, 3)} ${month} ${day} ${time} ${year}`;
      },
    ],
  ];
  // RFC 850 has two digits for the year, so only dates near today are told from those of other centuries.
  const seconds = fc.integer({ min: Date.UTC(1977) / 1000, max: Date.UTC(2075) / 1000 });
  for (const [name, write] of forms) {
    test(`${name} is the second that it names`, () => {
      fc.assert(
        fc.property(seconds, (second) => {
          const text = write(new Date(second * 1000));
          assert.equal(parseHttpDateMs(text, nowMs), second * 1000, text);
        }),
      );
    });
  }

  test('of today and of asctime() is what undici reads, or refuses', () => {
    const part = (most: number) => fc.integer({ min: 0, max: most });
    fc.assert(
      fc.property(part(32), part(11), part(62), part(61), part(61), fc.boolean(), (...drawn) => {
        const [day, month, hour, minute, second, asctime] = drawn;
        // The weekday that fits, as undici refuses others, which say nothing about when.
        const weekday = new Date(Date.UTC(2026, month, day)).toUTCString().slice(0, 3);
        const name = new Date(Date.UTC(2026, month)).toUTCString().slice(8, 11);
        const time = `${pad(hour)}:${pad(minute)}:${pad(second)}`;
        const text = asctime
          ? `${weekday} ${name} ${String(day).padStart(2, ' ')} ${time} 2026`
          : `${weekday}, ${pad(day)} ${name} 2026 ${time} GMT`;
        if (second === 60) return; // a leap second, which undici refuses and the RFC allows
        assert.equal(parseHttpDateMs(text, nowMs), parseHttpDate(text)?.getTime(), text);
      }),
      { numRuns: 1000 },
    );
  });

  test('with two digits is at most 50 years ahead', () => {
    for (const [year, full] of [
      ['26', 2026],
      ['76', 2076],
      ['77', 1977],
      ['99', 1999],
      ['00', 2000],
    ] as const) {
      const atMs = parseHttpDateMs(`Sunday, 01-Mar-${year} 00:00:00 GMT`, nowMs);
      assert.equal(new Date(atMs!).getUTCFullYear(), full);
    }
  });
});
