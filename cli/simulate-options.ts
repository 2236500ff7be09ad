// Declares `pushbench simulate` and its options.

import type { Command, Option } from 'commander';
import { loaded } from './signals.ts';
import type { SimulateFlags } from './simulate.ts';

export function addSimulate(root: Command, set: Option, invocation: string): void {
  root
    .command('simulate')
    .description(
      'compute a scenario in virtual time from the profile of a machine: a day of a million clients ' +
        'takes seconds (docs/simulation/simulate.md)',
    )
    .argument('<scenario>', 'name of a shipped scenario, or path of a YAML file')
    .addOption(set)
    .option(
      '--for <duration>',
      'how long the measured phase lasts, such as 24h: the same as --set phases.measure',
    )
    .option(
      '--profile <file>',
      'profile of the machine: a file that calibrate wrote, or the name of a shipped profile (default: ' +
        'the shipped one)',
    )
    .option(
      '--one-by-one',
      'compute each client separately instead of grouping identical ones: slow, to check the grouping',
      false,
    )
    .option('--results <dir>', 'where results are kept', 'results')
    .option('--json', 'print the result as JSON on standard output instead of the table', false)
    .option('--quiet', 'print nothing while it computes', false)
    .option('--interactive', 'a report whose charts can be hovered and zoomed (larger file)', false)
    .option('--junit <file>', 'write JUnit XML too, a case for each expectation')
    .option('--markdown <file>', 'write Markdown too, for a job summary')
    .action(async (scenario: string, options: SimulateFlags) => {
      const { simulateCommand } = await loaded(import('./simulate.ts'));
      process.exitCode = await simulateCommand(scenario, { ...options, invocation });
    });
}
