// Declares `pushbench advise` with its options.

import type { Command } from 'commander';
import type { AdviseFlags } from './advise.ts';

export function addAdvise(root: Command, invocation: string): void {
  root
    .command('advise')
    .description(
      'say which pattern fits your needs, given by flags or asked for on a terminal (docs/advise.md)',
    )
    .argument('[result...]', 'results to take figures from (default: the nearest in the results folder)')
    .option('--clients <number>', 'number of clients')
    .option('--every <duration>', 'time between two updates of one client, such as 2s, 5m or 1h')
    .option('--rate <rate>', 'the same as a rate of each client, such as 0.5/s')
    .option('--to <receiver>', 'browser, app or server')
    .option('--both-ways', 'clients send as much as they receive, and as urgently')
    .option('--within <duration>', 'how late an update may be, such as 500ms')
    .option('--shared', 'all clients get the same updates; otherwise each gets its own')
    .option('--hold <what>', 'what may stay open between client and server: streams, requests or nothing')
    .option('--missed <what>', 'what a client may miss: ok, catch-up (while it was away) or never')
    .option('--reachable', 'receivers have an address that the server can call')
    .option('--no-reachable', 'receivers have no such address')
    .option('--ordered', 'the order of updates matters')
    .option('--simplest', 'simple to write and run matters more than cost')
    .option('--payload <size>', 'size of an update, for the command that measures it (default: 256B)')
    .option('--results <dir>', 'where results are kept', 'results')
    .option(
      '--profile <file>',
      'simulate one server of each pattern from this profile of a machine, as with simulate (default: the ' +
        'shipped one, if no result fits)',
    )
    .option('--json', 'print the advice as JSON', false)
    .action(async (paths: string[], options: AdviseFlags) => {
      const { adviseCommand } = await import('./advise.ts');
      process.exitCode = await adviseCommand(paths, { ...options, invocation });
    });
}
