// Reads the inputs of this room's functions: scenarios and targets, by name, by path or as objects.

import { stringify } from 'yaml';
import { UserError } from '../core/base/errors.ts';
import { patterns } from '../core/pattern/registry.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { parseScenario } from '../core/scenario/scenario-file.ts';
import { openTarget, targetOf } from '../harness/target/open.ts';
import type { PreparedTarget } from '../harness/target/target-peer.ts';
import { openScenario } from './scenarios.ts';

/** The content of a scenario or target file, as an object. It is checked when it is used. */
export type FileContents = Readonly<Record<string, unknown>>;
/** Values by their paths, as with `--set`: `{ 'phases.measure': '2s', subscribers: 20 }`. */
export type Changes = Readonly<Record<string, unknown>>;

export type OpenScenario = { scenario: Scenario; source: string; folder: string };

/**
 * @param given name of a shipped scenario, path of a file, or the content of a file
 * @throws UserError that says what is wrong, and where
 */
export function scenarioOf(
  given: string | FileContents,
  set: Changes = {},
  { simulated = false }: { simulated?: boolean } = {},
): OpenScenario {
  const overrides = overridesOf(set);
  if (typeof given === 'string') return openScenario(given, overrides, { simulated });
  requireObject(given, 'scenario');
  const options = { file: 'scenario', registry: patterns, overrides, simulated };
  return { ...parseScenario(stringify(given), options), folder: process.cwd() };
}

/** @throws UserError that says what is wrong, and where */
export function targetsOf(
  given: string | FileContents | readonly (string | FileContents)[] | undefined,
): PreparedTarget[] {
  return [given ?? []].flat().map((one) => {
    if (typeof one === 'string') return openTarget(one, process.env);
    requireObject(one, 'target');
    return targetOf(stringify(one), 'target', process.cwd(), process.env);
  });
}

/** Each change as the command line writes it. JSON is YAML. */
export function overridesOf(set: Changes): string[] {
  return Object.entries(set).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
}

function requireObject(given: unknown, name: string): void {
  if (typeof given === 'object' && given !== null) return;
  throw new UserError('api', `${name} is a name, a path or an object with what a file holds; got ${given}.`);
}
