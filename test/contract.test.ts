// Holds every pattern to one contract, both halves together over real sockets. What is tried follows from
// the registry: each pattern, each combination of its options that shows on the wire, each ability. What a
// pattern lacks stands in its entry with the reason, and its case is skipped with that reason.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { abilities, type Pattern } from '../core/pattern/pattern.ts';
import { patterns } from '../core/pattern/registry.ts';
import { abilityCases } from './contract/ability-cases.ts';
import { cases } from './contract/cases.ts';
import { httpCases } from './contract/http-cases.ts';
import { choicesOf, guardedVariants, triedVariants } from './contract/variants.ts';

for (const variant of triedVariants()) {
  describe.concurrent(variant.label, () => {
    for (const [name, run] of Object.entries({ ...cases, ...httpCases })) test(name, (t) => run(t, variant));
    for (const ability of Object.keys(abilityCases) as (keyof typeof abilityCases)[])
      test(`${ability}: ${abilities[ability]}`, (t) => abilityCases[ability](t, variant));
  });
}

for (const variant of guardedVariants()) {
  describe.concurrent(variant.label, () => {
    for (const [name, run] of Object.entries(cases)) test(name, (t) => run(t, variant));
    for (const ability of Object.keys(abilityCases) as (keyof typeof abilityCases)[])
      test(`${ability}: ${abilities[ability]}`, (t) => abilityCases[ability](t, variant));
  });
}

test('over TLS and with tokens all are tried that clients connect to', () => {
  assert.deepEqual(
    guardedVariants().map(({ pattern }) => pattern),
    ['polling', 'long-polling', 'http-stream', 'sse', 'sse', 'websocket'],
  );
});

test('what is tried: the defaults, and all choices that show on the wire with each other', () => {
  const labels = triedVariants().map(({ label }) => label);
  assert.deepEqual(
    labels.filter((label) => label.startsWith('sse')),
    [
      'sse',
      'sse heartbeat=50ms',
      'sse gzip heartbeat=50ms',
      'sse h2 heartbeat=50ms',
      'sse h2 gzip heartbeat=50ms',
      'sse h2c heartbeat=50ms',
      'sse h2c gzip heartbeat=50ms',
    ],
  );
});

test('an option that is said not to show on the wire exists, has choices, and a reason', () => {
  for (const [name, { options, offWire = {} }] of Object.entries<Pattern>(patterns))
    for (const [option, reason = ''] of Object.entries(offWire)) {
      const schema = options.shape[option];
      assert.ok(schema && choicesOf(schema).length > 0, `${name}: ${option} in offWire has no choices`);
      assert.match(reason, /\w+ \w+/, `${name}: ${option} in offWire needs a reason`);
    }
});
