// Checks YAML of the documentation by the reader of what it is: a scenario or a part of one, a target file or
// a part of one, prices, claims, a workflow or steps of one.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { parsePrices, pricesSchema } from '../../core/capacity/prices.ts';
import { claimsSchema } from '../../core/comparison/claims.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import { scenarioSchema } from '../../core/scenario/scenario.ts';
import { parseTarget } from '../../core/target/file.ts';
import { targetSchema } from '../../core/target/target.ts';
import type { GithubParser } from '../github-parser.ts';
import { blocksOf } from './blocks.ts';
import { checkShell } from './shell-blocks.ts';

type Values = Record<string, unknown>;
type Step = { uses?: string; with?: Values; run?: string };
/** @throws what is wrong with the text, or with the values in it */
type Reader = (text: string, values: Values, github: GithubParser) => void | Promise<void>;

const hasAll = (values: Values, keys: readonly string[]) => keys.every((key) => Object.hasOwn(values, key));
const firstYaml = (page: string): Values =>
  parse(blocksOf(page).find(({ language }) => language === 'yaml')!.text) as Values;
/** A reader puts a part into the file that the documentation begins with, so it must go in there. */
const wholeScenario = firstYaml('README.md');
const wholeTarget = firstYaml('docs/targets.md');

const readScenario: Reader = (text, values) => {
  const isWhole = hasAll(values, ['question', 'subscribers', 'topics', 'variants']);
  const source = isWhole ? text : stringify({ ...wholeScenario, ...values });
  parseScenario(source, { file: 'block.yaml', registry: patterns, overrides: [] });
};

const readTarget: Reader = (text, values) => {
  const isWhole = hasAll(values, ['name', 'url', 'publish', 'subscribe']);
  parseTarget(isWhole ? text : stringify({ ...wholeTarget, ...values }), 'block.yaml');
};

const readWorkflow: Reader = async (text, values, github) => {
  assert.deepEqual(github('workflow', text), []);
  const jobs = values['jobs'] as Record<string, { steps: Step[] }>;
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const { inputs } = parse(readFileSync('action.yml', 'utf8')) as {
    inputs: Record<string, { required?: boolean }>;
  };
  for (const { uses = '', with: given = {}, run = '' } of steps) {
    await checkShell(run, []);
    if (!uses.startsWith('./pushbench')) continue;
    const needed = Object.keys(inputs).filter((name) => inputs[name]!.required === true);
    for (const name of Object.keys(given)) assert.ok(Object.hasOwn(inputs, name), `no input ${name}`);
    for (const name of needed) assert.ok(Object.hasOwn(given, name), `the input ${name} is missing`);
  }
};

/** By the keys that a file of the kind may have. */
const readers: readonly [keys: readonly string[], read: Reader][] = [
  [Object.keys(scenarioSchema(patterns).shape), readScenario],
  [Object.keys(targetSchema.shape), readTarget],
  [Object.keys(pricesSchema.shape), (text) => void parsePrices(text, 'block.yaml')],
  [['name', 'on', 'permissions', 'env', 'jobs'], readWorkflow],
];

async function checkList(items: readonly Values[], github: GithubParser): Promise<void> {
  if (items.every((item) => Object.hasOwn(item, 'uses') || Object.hasOwn(item, 'run'))) {
    const values = { on: 'push', jobs: { job: { 'runs-on': 'ubuntu-latest', steps: items } } };
    await readWorkflow(stringify(values), values, github);
  } else {
    const themes = Object.fromEntries(items.map(({ theme }) => [theme, 'A heading']));
    claimsSchema.parse({ article: 'An article', themes, claims: items });
  }
}

/** @throws an error where no reader of the project takes it */
export async function checkYaml(text: string, github: GithubParser): Promise<void> {
  const values = parse(text) as Values | Values[];
  if (Array.isArray(values)) return checkList(values, github);
  const fitting = readers.filter(([keys]) => Object.keys(values).every((key) => keys.includes(key)));
  assert.ok(fitting.length > 0, `no file of pushbench has the keys ${Object.keys(values).join(', ')}`);
  const problems: unknown[] = [];
  for (const [, read] of fitting) {
    try {
      await read(text, values, github);
      return;
    } catch (error) {
      problems.push(error);
    }
  }
  throw problems[0];
}
