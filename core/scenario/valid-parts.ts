// Reads the parts of a scenario that are valid by themselves, so that a mistake in one does not hide a
// contradiction between two others. For a scenario without mistakes these are all of it.

import type { z } from 'zod';
import type { Path } from '../base/yaml-document.ts';
import type { Scenario, scenarioSchema } from './scenario.ts';

type Schema = ReturnType<typeof scenarioSchema>;
type Values = z.output<Schema>;

/** What the parts make impossible together, and where. */
export type Contradiction = { path: Path; message: string };

const singles = [
  'subscribers',
  'payload',
  'phases',
  'loadProcesses',
  'server',
  'servers',
  'network',
  'closedLoop',
  'browser',
] as const;

export type Parts = {
  single: Partial<Pick<Scenario, (typeof singles)[number]>>;
  topics: ReadonlyMap<string, Scenario['topics'][string]>;
  /** By their index in the file. */
  variants: Elements<'variants'>;
  faults: Elements<'faults'>;
  expect: Elements<'expect'>;
  endpoints: Elements<'endpoints'>;
  /** Whether all topics, and all variants, are valid; checks over several of them need that. */
  allTopics: boolean;
  allVariants: boolean;
  /** Whether all faults are right: what one finds depends on those before it. */
  allFaults: boolean;
};

type Lists = 'variants' | 'faults' | 'expect' | 'endpoints';
type Elements<K extends Lists> = ReadonlyMap<number, Values[K][number]>;

/** @param value the plain value of the file, of any shape */
export function partsOf({ shape }: Schema, value: unknown): Parts {
  const given: Record<string, unknown> = { ...(isMap(value) ? value : {}) };

  function right<K extends keyof Values>(key: K, input: unknown = given[key]): Values[K] | undefined {
    const { success, data } = shape[key].safeParse(input);
    return success ? (data as Values[K]) : undefined; // the shape's types do not follow the key's
  }
  function elements<K extends Lists>(key: K): Elements<K> {
    const input = given[key];
    const found: (Values[K][number] | undefined)[] = Array.isArray(input)
      ? input.map((element) => right(key, [element])?.[0])
      : (right(key) ?? []);
    return new Map(found.flatMap((element, i) => (element === undefined ? [] : [[i, element]])));
  }

  const variants = elements('variants');
  const listed = given['variants'];
  const groups = isMap(given['topics']) ? Object.entries(given['topics']) : [];
  const topics = new Map(
    groups.flatMap(([name, group]) => Object.entries(right('topics', { [name]: group }) ?? {})),
  );
  const single: Parts['single'] = {};
  for (const key of singles) {
    const part = right(key);
    if (part !== undefined) Object.assign(single, { [key]: part });
  }
  const faults = elements('faults');
  const listedFaults = given['faults'];
  return {
    single,
    topics,
    variants,
    faults,
    expect: elements('expect'),
    endpoints: elements('endpoints'),
    allTopics: topics.size === groups.length,
    allFaults: !Array.isArray(listedFaults) || faults.size === listedFaults.length,
    allVariants: Array.isArray(listed) ? variants.size === listed.length : variants.size > 0,
  };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
