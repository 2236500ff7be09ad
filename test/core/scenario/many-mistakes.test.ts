// Makes many mistakes in a scenario at once, and any change at all: each ends in a scenario or in a list.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import { base, mistakesIn } from '../base/mistakes.ts';

describe('all mistakes come at once', () => {
  test('from top to bottom, wrong values and impossible combinations together', () => {
    assert.deepEqual(
      mistakesIn(`question: What?
subscribers: none
topics:
  news: { publish: 5, follow: 2 }
  mail: { publish: 5/s, follow: 3 }
faults:
  - { at: nope, disconnect: 5% }
  - { at: 9s, disconnect: 5% }
variants: [sse, { sse: { retri: 1s } }, sse]
expect: [missed = 0, latency.p99 < 5]
`),
      [
        '2:14: subscribers: expected a whole number; got "none"',
        '4:20: topics.news.publish: expected a rate with its unit, such as 200/s, or 6/m each; got 5',
        '5:33: topics.mail.follow: a subscriber cannot follow 3 topics ' +
          'where the group has one topic; set count too',
        '7:11: faults[0].at: expected a duration with its unit, such as 250ms, 5s or 2m; got "nope"',
        '8:11: faults[1].at: the measured phase is over after 8s, so nothing would go wrong at 9s',
        '9:26: variants[1].sse.retri: unknown key; did you mean "retry"?',
        '9:41: variants[2]: "sse" is the same variant as variants[0]; for more trials of each, set repeat',
        '10:10: expect[0]: "=" is not a comparison: write "METRIC < BOUND" (or <=, ' +
          '>, >=, ==) or "METRIC within 10% of VALUE"',
        '10:22: expect[1]: the bound of latency.p99 is a duration with its unit, such as 250ms, and not "5"',
      ],
    );
  });

  test('but no more than can be read', () => {
    const mistakes = mistakesIn(base + Array.from({ length: 50 }, (_, i) => `x${i}: 1\n`).join(''));
    assert.equal(mistakes.length, 31);
    assert.equal(mistakes[30], 'and 20 more');
  });
});

test('whatever stands in a file, it is a scenario or a list of mistakes', () => {
  const whole = parse(`${base}phases: { measure: 5s }
payload: 1kB
variants: [{ polling: { every: 2s } }, sse]
faults: [{ at: 1s, freeze: server, for: 1s }, { at: 2s, disconnect: 5% }]
expect: [{ check: missed == 0, for: [sse] }, corrupted == 0]
server: { slow: drop }
reconnect: { base: 1s }
`) as Record<string, unknown>;
  const paths = (value: unknown, path: PropertyKey[]): PropertyKey[][] => [
    path,
    ...(typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, one]) => paths(one, [...path, key]))
      : []),
  ];
  const junk = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      null,
      '',
      '5s',
      '5/s',
      '5%',
      '1kB',
      'sse',
      {},
      [],
      0,
      -1,
      1e300,
      { publish: '5/s' },
      { at: '1s' },
      { sse: null },
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(...paths(whole, []).slice(1)), junk, (path, value) => {
      const changed = structuredClone(whole);
      const parent = path
        .slice(0, -1)
        .reduce<unknown>((one, key) => (one as Record<PropertyKey, unknown>)[key], changed);
      (parent as Record<PropertyKey, unknown>)[path.at(-1)!] = value;
      const text = JSON.stringify(changed);
      for (const mistake of mistakesIn(text)) {
        assert.match(mistake, /^1:\d+: /);
        if (!/undefined|object/.test(text)) assert.doesNotMatch(mistake, /undefined|\[object/);
      }
    }),
    { numRuns: 500 },
  );
});
