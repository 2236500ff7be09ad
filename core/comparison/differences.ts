// Names the differences between the two sides of a comparison (machine, scenario, versions), and what they
// make meaningless.

import { isDeepStrictEqual } from 'node:util';
import { formatNumber } from '../base/units.ts';
import { plainValue, readYaml } from '../base/yaml-document.ts';
import { coresText, memoryText } from '../result/machine-text.ts';
import type { Comparison } from './comparison-result.ts';
import { originText } from './origin.ts';
import type { RunSet } from './run-set.ts';

export type Difference = Comparison['differences'][number] & {
  /** Why timings cannot be compared; undefined where the difference may be the very thing to compare. */
  spoils: 'machine' | 'scenario' | undefined;
};

/** What something was run with. */
export type Conditions = Pick<RunSet, 'pushbench' | 'environment' | 'simulated'> & {
  scenario: Pick<RunSet['scenario'], 'seed' | 'source'>;
};

/** In what two things were run with different machines, scenarios or versions. */
export function differencesOf(baseline: Conditions, candidate: Conditions): Difference[] {
  const [a, b] = [baseline.environment, candidate.environment];
  const rows: [what: string, from: string, to: string, spoils: Difference['spoils']][] = [
    ['origin', originText(baseline), originText(candidate), 'machine'],
    ['cpu', a.cpu, b.cpu, 'machine'],
    ['cores', coresText(a), coresText(b), 'machine'],
    ['memory', memoryText(a), memoryText(b), 'machine'],
    ['os', a.os, b.os, 'machine'],
    ['kernel', a.kernel, b.kernel, 'machine'],
    ['node', a.node, b.node, 'machine'],
    ['descriptor limit', limitText(a.descriptorLimit), limitText(b.descriptorLimit), undefined],
    ['pushbench', baseline.pushbench, candidate.pushbench, undefined],
    ['commit', a.commit ?? 'none', b.commit ?? 'none', undefined],
    ['seed', String(baseline.scenario.seed), String(candidate.scenario.seed), 'scenario'],
    ...scenarioDifferences(baseline.scenario.source, candidate.scenario.source),
  ];
  return rows
    .filter(([, from, to]) => from !== to)
    .map(([what, from, to, spoils]) => ({ what, baseline: from, candidate: to, spoils }));
}

/**
 * Parts of a scenario that change nothing about a single trial: what is shown (the answer, the curves and
 * their axis), what is expected, how many trials there are, and what runs after the trials. The seeds are
 * compared separately.
 */
const beside = new Set([
  'question',
  'notice',
  'answer',
  'curves',
  'axis',
  'expect',
  'gate',
  'repeat',
  'variants',
  'seed',
  'closedLoop',
]);

function scenarioDifferences(from: string, to: string): [string, string, string, 'scenario'][] {
  if (from === to) return [];
  const [a, b] = [partsOf(from), partsOf(to)];
  if (!a || !b) return [['scenario', 'its text', 'another text', 'scenario']];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => !beside.has(key) && !isDeepStrictEqual(a[key], b[key]))
    .map((key) => [`scenario ${key}`, shown(a[key]), shown(b[key]), 'scenario']);
}

function partsOf(source: string): Record<string, unknown> | undefined {
  const yaml = readYaml(source);
  const plain = yaml.broken ? undefined : plainValue(yaml);
  return plain && 'value' in plain && typeof plain.value === 'object' && plain.value !== null
    ? { ...plain.value }
    : undefined;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'left out' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function limitText(limit: number | null): string {
  return limit === null ? 'unknown' : formatNumber(limit);
}
