// Holds the table of exit codes against the commands: those that there are, and the codes that each one's own
// file names. That no test sees another one is held by `call` of tools.ts.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { commandsOf, exitsOf, exitTable } from '../../cli/exit-table.ts';
import { createProgram } from '../../cli/program.ts';
import { exitCodes } from '../../core/base/errors.ts';
import { call, temporaryFolder } from './tools.ts';

test('the table has every command, and no other', () => {
  const words = commandsOf(createProgram()).map(([name]) => name);
  assert.ok(words.length > 15);
  assert.deepEqual(Object.keys(exitTable).sort(), words.sort());
});

/** What else a command is made of, besides the file of its first word. */
const others: Readonly<Record<string, string[]>> = {
  simulate: ['run'],
  advise: ['advise-dialogue'],
  report: ['ab-report'],
  follow: ['follow-address'],
};

test("every code that a command's files name is in its table", () => {
  for (const word of new Set(Object.keys(exitTable).map((words) => words.split(' ')[0]!))) {
    const files = [word, ...(others[word] ?? [])].map((name) => `cli/${name}.ts`);
    for (const file of files) assert.ok(existsSync(file), file);
    const named = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\bexitCodes\.(\w+)/g)].map(([, name]) => name!),
    );
    const told = Object.entries(exitTable)
      .filter(([words]) => words.split(' ')[0] === word)
      .flatMap(([, one]) => Object.keys(one));
    assert.deepEqual(
      named.filter((name) => !told.includes(name)),
      [],
      word,
    );
  }
});

test('the help of a command ends with its codes, and that of the program with all', async (t) => {
  const folder = temporaryFolder(t);
  const end = async (args: string[]) =>
    (await call([...args, '--help'], folder)).stdout.split('Exit codes:\n')[1]!.trimEnd().split('\n');
  for (const words of ['run', 'baseline check', 'follow'])
    assert.deepEqual(
      await end(words.split(' ')),
      exitsOf(exitTable[words]!).map(({ code, means }) => `  ${String(code).padEnd(5)}${means}`),
      words,
    );
  assert.deepEqual(
    (await end([])).map((line) => Number.parseInt(line, 10)),
    Object.values(exitCodes),
  );
});
