// Lists the exit codes of each command, and what each says there. The help of a command ends with its own,
// and docs/reference/exit-codes.md shows the whole table.

import type { Command } from 'commander';
import { exitCodes, exitMeanings, type ExitName } from '../core/base/errors.ts';

type Told = Readonly<Partial<Record<ExitName, string>>>;

const wrong = 'the arguments are wrong';
const written = 'a file could not be written';
const interrupted = 'ended by a signal; what was measured until then is kept';

/** What comparisons fail on. */
const compared: Told = {
  ok: 'nothing is shown to be worse',
  slower: 'the candidate is worse',
  inconclusive: 'something was not judged, or, with --fail-on inconclusive, could not be decided',
};

const ran: Told = {
  ok: 'all that was asked for was judged, and every expectation held',
  expectation: 'an expectation failed',
  usage: 'the scenario, another file or the arguments are wrong',
  failed: 'the run or a trial failed, this machine lacks what it needs, or a file could not be written',
  invalid: 'something that was asked for was not judged: it is void, or a search found nothing',
  interrupted,
};

const served: Told = {
  ok: 'ended by a signal',
  usage: wrong,
  failed: 'the port is taken, or something that it needs is missing',
  interrupted: 'ended at once by a second signal',
};

/** By the words that call the command. */
export const exitTable: Readonly<Record<string, Told>> = {
  run: ran,
  simulate: {
    ...ran,
    usage: 'the scenario, the profile or the arguments are wrong',
    failed: 'a trial could not be computed, or a file could not be written',
  },
  plan: { ok: 'answered', usage: 'the arguments, the profile or the price file are wrong', failed: written },
  serve: served,
  receive: served,
  worker: {
    ok: 'ended by a signal',
    usage: wrong,
    failed: 'no Redis answers',
    interrupted: 'ended at once by a second signal',
  },
  follow: {
    ok: 'ended as asked; without --events or --for also when the server or a signal ended it',
    expectation: 'fewer events than --events',
    usage: wrong,
    failed: 'nobody answered, or the answer does not fit the pattern',
    interrupted: 'ended by a signal before --events or --for was reached',
  },
  'target check': {
    ok: 'every pattern that the file describes works',
    expectation: 'a pattern does not work',
    usage: 'the target file or the arguments are wrong',
    interrupted: 'ended by a signal before all was checked',
  },
  validate: { ok: 'every file is right', usage: 'a file is wrong' },
  list: { ok: 'listed', usage: wrong },
  advise: {
    ok: 'advised',
    usage: 'a result or the arguments are wrong',
    interrupted: 'ended before all questions were answered',
  },
  calibrate: {
    ok: 'the profile is written, with everything that was asked for',
    usage: wrong,
    failed: 'no trial had valid figures, a trial failed, or the profile could not be written',
    invalid: 'the profile is written, but a part that was asked for has no valid figures',
    interrupted,
  },
  report: { ok: 'written', usage: 'a result or the arguments are wrong', failed: written },
  open: served,
  claims: {
    ok: 'the page is made, and every claim that the results are about has its figures',
    usage: 'a result or the arguments are wrong',
    failed: written,
    invalid: 'a claim is not judged, or a run was cut short',
  },
  ab: {
    ...compared,
    usage: 'the scenario, another file or the arguments are wrong',
    failed: 'one of the two does not start, the run failed, or a file could not be written',
    interrupted,
  },
  bisect: {
    ok: 'the commit is found',
    usage: 'the scenario, another file or the arguments are wrong',
    failed: 'the good or the bad commit does not start, or a file could not be written',
    inconclusive: 'undecided, or the bad commit is not shown to be worse',
    interrupted,
  },
  compare: {
    ...compared,
    usage: 'a result or the arguments are wrong',
    failed: written,
    invalid: 'a run was cut short, so nothing is decided on it',
  },
  'baseline save': {
    ok: 'saved',
    usage: 'a result or the arguments are wrong, or no run has valid figures',
    failed: written,
    invalid: 'a run was cut short, so it is not kept',
  },
  'baseline list': { ok: 'listed', usage: 'a baseline or the arguments are wrong' },
  'baseline check': {
    ...compared,
    usage: 'a result, the baseline or the arguments are wrong',
    failed: written,
    invalid: 'a run was cut short, so nothing is decided on it',
  },
  history: {
    ok: 'shown; a trend fails nothing',
    usage: 'a result or the arguments are wrong',
    failed: written,
    invalid: 'the only run was cut short',
  },
};

const names = Object.keys(exitCodes) as ExitName[]; // it has no other keys

/** The codes of a command in ascending order. */
export function exitsOf(told: Told): { name: ExitName; code: number; means: string }[] {
  return names.flatMap((name) => {
    const means = told[name];
    return means === undefined ? [] : [{ name, code: exitCodes[name], means }];
  });
}

const textOf = (told: Told) =>
  `\nExit codes:\n${exitsOf(told)
    .map(({ code, means }) => `  ${String(code).padEnd(5)}${means}`)
    .join('\n')}`;

/** Every command that does something, by the words that call it. */
export function commandsOf(program: Command): [words: string, command: Command][] {
  return program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [[command.name(), command] as [string, Command]]
      : commandsOf(command).map(([words, one]): [string, Command] => [`${command.name()} ${words}`, one]),
  );
}

/** Ends the help of every command, and that of the program, with its exit codes. */
export function addExitCodes(program: Command): void {
  program.addHelpText('after', textOf(exitMeanings));
  for (const [words, command] of commandsOf(program)) {
    const told = exitTable[words];
    if (!told) throw new Error(`cli/exit-table.ts does not say what "${words}" ends with`);
    command.addHelpText('after', textOf(told));
  }
}
