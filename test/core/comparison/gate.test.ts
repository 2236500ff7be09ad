// What a scenario gates on, as it writes it, and what it says of mistakes.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { defaultGates, gatesOfSource } from '../../../core/comparison/gate.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { largestFileBytes } from '../../../core/base/yaml-document.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';

const scenario = (gate: string) =>
  `question: What?\nsubscribers: 5\ntopics: { news: { publish: 20/s } }\n${gate}`;

test('settings stand over the defaults, each metric once', () => {
  const gates = gatesOfSource(
    scenario(
      'gate:\n  latency.p50: 8%\n  latency.p99: off\n  requests-per-delivery: { tolerance: 0.5 }\n' +
        '  bytes-per-delivery: { tolerance: 2kB }\n  missed: off\n',
    ),
  );
  const of = (metric: string) => gates.filter((gate) => gate.metric === metric);
  assert.deepEqual(of('latency.p50'), [
    { kind: 'ratio', metric: 'latency.p50', minimumEffect: 0.08, gating: true, asked: true },
  ]);
  assert.deepEqual(of('latency.p99'), []);
  assert.deepEqual(of('missed'), []);
  assert.deepEqual(of('requests-per-delivery'), [
    { kind: 'exact', metric: 'requests-per-delivery', tolerance: 0.5, asked: true },
  ]);
  assert.deepEqual(of('bytes-per-delivery'), [
    { kind: 'exact', metric: 'bytes-per-delivery', tolerance: 2000, asked: true },
  ]);
  assert.equal(of('duplicated').length, 1);
});

test('without a gate section, and for a source that is none of ours, the defaults hold', () => {
  for (const source of [scenario(''), 'a: [', '', 'gate: 5'])
    assert.deepEqual(gatesOfSource(source), defaultGates);
});

test('a source that is longer than a scenario may be is not read', () => {
  const source = scenario('gate:\n  missed: off\n#');
  assert.equal(gatesOfSource(source.padEnd(largestFileBytes, '#')).length, defaultGates.length - 1);
  assert.deepEqual(gatesOfSource(source.padEnd(largestFileBytes + 1, '#')), defaultGates);
});

test('the defaults: what is decided on, and from which change on', () => {
  const text = defaultGates.map((gate) => {
    if (gate.kind === 'ratio') return `${gate.metric} ${gate.minimumEffect}${gate.gating ? '' : ' shown'}`;
    return gate.kind === 'exact' ? `${gate.metric} +${gate.tolerance}` : gate.metric;
  });
  assert.deepEqual(text, [
    'latency.p50 0.05',
    'latency.p90 0.1',
    'latency.p99 0.2',
    'server-cpu-per-delivery 0.05',
    'latency.p99.9 0.2 shown',
    'bytes-per-delivery 0.05 shown',
    'requests-per-delivery +0.05',
    'descriptors-per-subscriber +0.05',
    'missed',
    'duplicated',
    'reordered',
    'corrupted',
    'errors',
  ]);
});

test('mistakes are named where they stand, with what to write', () => {
  const rows: [string, RegExp][] = [
    [
      'latency.p5: 5%',
      /gate\["?latency\.p5"?\]: there is no metric "latency\.p5"; did you mean "latency\.p50"/,
    ],
    ['delivered: 5%', /delivered is not worse when it is higher/],
    ...['published', 'expected', 'resumed', 'deliveries-per-s', 'headroom'].map(
      (metric): [string, RegExp] => [`${metric}: 5%`, new RegExp(`${metric} is not worse when it is higher`)],
    ),
    ['requests-per-delivery: { tolerance: -1 }', /tolerance/],
    ['missed: 5%', /missed fails a comparison outright/],
    ['latency.p50: 5', /expected a share with its unit, such as 10%, or "off"; got 5/],
    ['latency.p50: fast', /expected a share with its unit.*got "fast"/],
    ['latency.p50: { tolerance: 5 }', /the bound of latency\.p50 is a duration with its unit/],
    ['latency.p50: { tolerence: 5ms }', /tolerence.*did you mean "tolerance"/],
  ];
  for (const [line, message] of rows) {
    assert.throws(
      () =>
        parseScenario(scenario(`gate:\n  ${line}\n`), { file: 'x.yaml', registry: patterns, overrides: [] }),
      (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /x\.yaml:5:/);
        return true;
      },
      line,
    );
  }
});
