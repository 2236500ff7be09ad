// Writes the reference page of exit codes, from the one table that the help of every command shows.

import { exitsOf, exitTable } from '../../cli/exit-table.ts';
import { exitMeanings } from '../../core/base/errors.ts';
import { code, contents, page, table } from './markdown.ts';

const all = 'All codes';
const everywhere = 'What holds for every command';

/** The page `exit-codes.md`. */
export function exitCodesPage(): string {
  const commands = Object.entries(exitTable);
  return page('Exit codes', [
    'What `pushbench` ends with, for scripts and CI. A code means the same in every command; a table for ' +
      'each says what that comes to there. The help of a command (`pushbench COMMAND --help`) has it too.',
    contents([all, everywhere, ...commands.map(([words]) => words)]),
    `## ${all}`,
    table(
      ['code', 'name', 'what it means'],
      exitsOf(exitMeanings).map(({ code: number, name, means }) => [String(number), code(name), means]),
    ),
    'Several may be true of one run; then the gravest is told: interrupted, failed, an expectation that ' +
      'failed, something that was not judged. Of a comparison, what is worse goes before what was not ' +
      'judged. The [API](../api.md) says `verdict` by the same names.',
    `## ${everywhere}`,
    '- `--help` and `--version` end with 0.\n' +
      '- A mistake of yours is told in a sentence on standard error, without a stack trace.\n' +
      '- A stack trace with "This is a defect of pushbench" ends with 3, whatever the command.\n' +
      '- A reader that goes away (`| head`) is no failure: the code is 0.\n' +
      '- On Windows, and on a Node that is too old, every command ends with 2.\n' +
      '- A signal while the program loads ends it with 130. A command that has nothing to tidy up leaves ' +
      'later signals to the system, so a shell sees 130 after Ctrl-C and 143 after SIGTERM.',
    ...commands.flatMap(([words, told]) => [
      `## ${words}`,
      table(
        ['code', 'name', 'when'],
        exitsOf(told).map(({ code: number, name, means }) => [String(number), code(name), means]),
      ),
    ]),
    'Each command with its options: [commands](commands.md).',
  ]);
}
