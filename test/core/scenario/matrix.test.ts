// A matrix of parameters: its cells, their names, their magnitudes, and the mistakes that a file can make.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { checkExpectations } from '../../../core/scenario/expectations.ts';
import { cellsOf, cellText, magnitudeOf } from '../../../core/scenario/matrix.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { describeScenario, parseScenario } from '../../../core/scenario/scenario-file.ts';
import { completed, trialOf } from '../result/trial.ts';

const base = `question: How?
subscribers: 5
topics: { news: { publish: 10/s } }
variants: [sse]
`;
const parse = (more: string, overrides: string[] = []) =>
  parseScenario(base + more, { file: 'm.yaml', registry: patterns, overrides }).scenario;

test('cells are every combination, the last path changing soonest', () => {
  assert.deepEqual(cellsOf({ a: [1, 2], b: ['x', 'y'] }), [
    { a: '1', b: 'x' },
    { a: '1', b: 'y' },
    { a: '2', b: 'x' },
    { a: '2', b: 'y' },
  ]);
  assert.deepEqual(cellsOf({}), []);
});

test('a value may be a map under a name, by which cells and expectations call it', () => {
  const scenario = parse(
    'matrix:\n  reconnect: [phoenix, { as: patient, is: { base: 1s, reset: { stable: 10s } } }]\n' +
      'expect: [{ check: missed == 0, where: { reconnect: patient } }]\n',
  );
  assert.deepEqual(
    scenario.cells.map(({ parameters, scenario: { reconnect } }) => [
      parameters,
      reconnect.policy,
      reconnect.reset,
    ]),
    [
      [{ reconnect: 'phoenix' }, 'phoenix', 'on-open'],
      [{ reconnect: 'patient' }, 'full-jitter', { stable: 10_000 }],
    ],
  );
  assert.throws(
    () => parse('matrix: { reconnect: [phoenix, { as: phoenix, is: signalr }] }\n'),
    /"phoenix" is there twice/,
  );
});

test('a cell is called by the last words of its paths, or by all of them where those are the same', () => {
  assert.equal(cellText({ subscribers: '10', 'topics.news.publish': '5/s' }), 'subscribers=10, publish=5/s');
  assert.equal(
    cellText({ 'topics.a.publish': '1/s', 'topics.b.publish': '5/s' }),
    'topics.a.publish=1/s, topics.b.publish=5/s',
  );
});

test('values have a magnitude in the unit that they are written in', () => {
  assert.deepEqual(
    ['10', '6/m', '6/m each', '1KiB', '5s', '10%'].map((value) => magnitudeOf(value)),
    [
      { value: 10, unit: '' },
      { value: 0.1, unit: 'a second' },
      { value: 0.1, unit: 'a second and topic' },
      { value: 1024, unit: 'bytes' },
      { value: 5000, unit: 'ms' },
      { value: 0.1, unit: 'share' },
    ],
  );
  assert.equal(magnitudeOf('coalesce'), undefined);
});

test('each cell is the whole scenario with its values in it, over the overrides of the command line', () => {
  const { cells, subscribers } = parse(
    'matrix: { subscribers: [10, 20], topics.news.publish: [1/s, 60/m] }',
    ['phases.measure=3s'],
  );
  assert.equal(subscribers, 5);
  assert.deepEqual(
    cells.map(({ scenario: one }) => [
      one.subscribers,
      one.topics['news']!.publish,
      one.phases.measure,
      one.cells.length,
    ]),
    [
      [10, { kind: 'constant', perS: 1 }, 3000, 0],
      [10, { kind: 'constant', perS: 1 }, 3000, 0],
      [20, { kind: 'constant', perS: 1 }, 3000, 0],
      [20, { kind: 'constant', perS: 1 }, 3000, 0],
    ],
  );
});

test('its description says what changes and counts all trials', () => {
  const text = describeScenario(parse('matrix: { subscribers: [10, 20, 30] }'));
  assert.match(text, /3 trials: sse\n {2}each with subscribers = 10, 20, 30\n/);
});

describe('mistakes', () => {
  const refused = (more: string, message: RegExp) =>
    test(String(message), () => assert.throws(() => parse(more), message));
  refused(
    'matrix: { subscribers: [0, 10] }',
    /m\.yaml:5:1: matrix: in the cell subscribers=0: .*expected a number of at least 1; got 0/,
  );
  refused(
    'axis: { says: clients, times: 2 }',
    /m\.yaml:5:1: axis: there is no matrix in this scenario, so "axis" means nothing/,
  );
  refused(
    'matrix: { topics.news.publish: [10/s, 1/s each] }',
    /matrix\["topics\.news\.publish"\]: some of these rates are those of "each" topic and some of all/,
  );
  refused(
    'matrix: { topics.news.publish: [1/s each, 2/s each] }\n' +
      'axis: { says: x, times: 6, perSubscriber: true }',
    /the rates of the matrix are those of each topic already; leave perSubscriber out/,
  );
  refused('matrix: { a: [1], b: [1], c: [1] }', /at most two paths/);
  refused('matrix: { variants: [sse] }', /"variants" is the same for all cells; list the variants instead/);
  refused(`matrix: { subscribers: [${Array.from({ length: 201 }, (_, i) => i + 1)}] }`, /at most 200 cells/);
  refused('matrix: { subscribers: [] }', /m\.yaml:5/);
  refused('curves: [latency.p98]', /no metric "latency.p98"/);
  refused('expect: [{ check: missed == 0, where: { subscribers: 1 } }]', /no matrix in this scenario/);
  refused(
    'matrix: { subscribers: [10] }\nexpect: [{ check: missed == 0, where: { subscriber: 10 } }]',
    /the matrix has no "subscriber"; it has subscribers/,
  );
  refused(
    'matrix: { subscribers: [10, 20] }\nexpect: [{ check: missed == 0, where: { subscribers: 11 } }]',
    /no cell with subscribers = 11; there are 10, 20/,
  );
});

test('an expectation is held against the cells that it is for', () => {
  const scenario = parse(
    'matrix: { subscribers: [10, 20] }\nexpect: [{ check: published > 0, for: [sse], where: { ' +
      'subscribers: 20 } }, published > 0]',
  );
  const trials = ['10', '20'].map((value) => ({
    ...trialOf(`sse, subscribers=${value}`, completed()),
    cell: {
      variant: 'sse',
      parameters: { subscribers: value },
      subscribers: Number(value),
      events: 1,
      deliveries: 1,
    },
  }));
  assert.deepEqual(
    checkExpectations(scenario, trials).map(({ variant }) => variant),
    ['sse, subscribers=20', 'sse, subscribers=10', 'sse, subscribers=20'],
  );
});
