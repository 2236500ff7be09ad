// The ready workflow holds: it is YAML of the shape that GitHub reads, and its commands take their options.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { createProgram } from '../cli/program.ts';

type Step = { uses?: string; run?: string };

test('every pushbench command of the workflow and its page is one, with the options and arguments it is given', () => {
  const { jobs } = parse(readFileSync('docs/ci/pushbench.yml', 'utf8')) as { jobs: Record<string, { steps: Step[] }> };
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  assert.ok(steps.every(({ uses, run }) => (uses === undefined) !== (run === undefined)), 'a step uses or runs');
  const page = readFileSync('docs/ci/README.md', 'utf8');
  const texts = [...steps.flatMap(({ run }) => run ?? []), ...[...page.matchAll(/(?:```sh\n([\s\S]*?)```|`(pushbench [^`]*)`)/g)].map(([, block, inline]) => block ?? inline!)];
  const lines = texts.flatMap((text) => text.split('\n')).flatMap((line) => /(?:npx )?pushbench ((?:run|compare|baseline|history|ab) .+)/.exec(line)?.[1] ?? []);
  assert.ok(lines.length >= 4, lines.join('\n'));
  for (const line of lines) {
    const words = line.replace(/\s#.*/, '').match(/'[^']*'|"[^"]*"|\S+/g)!;
    let command = createProgram();
    for (let next; (next = command.commands.find((one) => one.name() === words[0])); words.shift()) command = next;
    const options = words.filter((word) => word.startsWith('--'));
    for (const option of options) assert.ok(command.options.some(({ long }) => long === option), `${line}: ${option}`);
    const taken = options.filter((option) => command.options.some(({ long, required, optional }) => long === option && (required || optional))).length;
    const needed = command.registeredArguments.filter(({ required }) => required).length;
    assert.ok(words.length - options.length - taken >= needed, `${line}: too few arguments`);
  }
});
