// Writes the reference page of exit codes, from the one table that the help of every command shows.

import { exitsOf, exitTable } from '../../cli/exit-table.ts';
import { exitMeanings } from '../../core/base/errors.ts';
import { code, contents, page, table } from './markdown.ts';

const all = 'All codes';
const everywhere = 'Every command';

/** The page `exit-codes.md`. */
export function exitCodesPage(): string {
  const commands = Object.entries(exitTable);
  return page('Exit codes', [
    'The exit codes of `pushbench`, for scripts and CI. A code means the same in every command; the table ' +
      'of a command says when it ends with which. `pushbench COMMAND --help` prints that table too.',
    contents([all, everywhere, ...commands.map(([words]) => words)]),
    `## ${all}`,
    table(
      ['code', 'name', 'meaning'],
      exitsOf(exitMeanings).map(({ code: number, name, means }) => [String(number), code(name), means]),
    ),
    'If several are true of a run, it ends with the first of these: interrupted, failed, an expectation ' +
      'failed, something was not judged. In a comparison "worse" comes before "not judged". `verdict` of ' +
      'the [API](../api.md) uses the same names.',
    `## ${everywhere}`,
    '- `--help` and `--version` end with 0.\n' +
      '- A mistake of yours is reported in a sentence on standard error, without a stack trace.\n' +
      '- A defect of pushbench is reported with a stack trace and ends with 3.\n' +
      '- A reader that stops reading (`| head`) is not a failure: the code is 0.\n' +
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
