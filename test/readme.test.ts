// The README's promises: its commands exist and take their arguments, its scenario is one,
// its links lead somewhere.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { openScenario } from '../cli/scenarios.ts';
import { createProgram } from '../cli/program.ts';
import { patterns } from '../core/pattern/registry.ts';
import { parseScenario } from '../core/scenario/scenario-file.ts';

const readme = readFileSync('README.md', 'utf8');

test('every command of the README is one, with the options it is given, and its scenarios are valid', () => {
  const commands = [...readme.matchAll(/`npm start -- ([a-z][^`]*)`/g)].map(([, text]) => text!.split(' '));
  assert.ok(commands.length >= 7);
  for (const [name = '', ...args] of commands) {
    if (name === 'COMMAND') continue;
    const command = createProgram().commands.find((one) => one.name() === name);
    assert.ok(command, name);
    for (const option of args.filter((arg) => arg.startsWith('--')))
      assert.ok(
        command.options.some(({ long }) => long === option),
        `${name} ${option}`,
      );
    const overrides = args.filter((_, i) => args[i - 1] === '--set');
    if ((name === 'run' || name === 'validate') && !args[0]!.startsWith('./'))
      openScenario(args[0]!, overrides);
    if (name === 'serve') assert.ok(Object.hasOwn(patterns, args[0]!));
  }
});

test("the README's scenario is one", () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(readme)!;
  const { scenario } = parseScenario(yaml!, { file: 'README.md', registry: patterns, overrides: [] });
  assert.equal(scenario.variants.length, 3);
});

test('links and pictures of all documents are there', () => {
  const missing = globSync('{*.md,docs/**/*.md}').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\]\(([^)#:]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !existsSync(join(dirname(file), target)))
      .map((target) => `${file}: ${target}`),
  );
  assert.deepEqual(missing, []);
});
