// Finds scenario files: shipped ones by name, others by path.

import { globSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../core/base/errors.ts';
import { patterns } from '../core/pattern/registry.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { tryReadText } from '../core/base/read-file.ts';
import { parseScenario } from '../core/scenario/scenario-file.ts';
import { nearest } from '../core/base/suggest.ts';
import { packageRoot } from '../harness/run/version.ts';

const shippedFolder = fileURLToPath(new URL('scenarios/', packageRoot));

/** Names of the shipped scenarios, in alphabetical order. */
export function shippedScenarios(): string[] {
  return globSync('*.yaml', { cwd: shippedFolder })
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/**
 * Reads and checks a scenario.
 * @param given the name of a shipped scenario, or a path (it has a slash or ends in .yaml or .yml)
 * @throws UserError that says what is wrong with the name, the file or its contents
 */
export function openScenario(
  given: string,
  overrides: readonly string[],
  { simulated = false }: { simulated?: boolean } = {},
): { scenario: Scenario; source: string; folder: string } {
  const isPath = given.includes('/') || ['.yaml', '.yml'].includes(extname(given));
  const file = isPath ? resolve(given) : resolve(shippedFolder, `${given}.yaml`);
  const read = tryReadText(file, 'scenario');
  if (!('text' in read)) {
    if (isPath || read.fault !== 'missing')
      throw new UserError('scenario-file', `Cannot read the scenario ${given}: ${read.why}.`);
    const near = nearest(given, shippedScenarios());
    throw new UserError(
      'scenario-name',
      `There is no scenario called "${given}"${near ? `; did you mean "${near}"?` : '.'} Shipped are: ` +
        `${shippedScenarios().join(', ')}. A file of your own is named ` +
        `by its path, such as ./${given}.yaml.`,
    );
  }
  return {
    ...parseScenario(read.text, {
      file: isPath ? given : `scenarios/${given}.yaml`,
      registry: patterns,
      overrides,
      simulated,
    }),
    folder: dirname(file),
  };
}
