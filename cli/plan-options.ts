// Declares `pushbench plan` with its options.

import type { Command } from 'commander';
import type { PlanFlags } from './plan.ts';
import { loaded } from './signals.ts';

export function addPlan(root: Command, invocation: string): void {
  root
    .command('plan')
    .description(
      'how many servers each pattern needs, requests, traffic and bill of a month, and which limit is ' +
        'reached first: simulated from the profile of a machine (docs/plan.md)',
    )
    .option('--subscribers <number>', 'number of clients')
    .option('--events <rate>', 'events that each client gets, such as 1/s or 6/m')
    .option('--topics <word>', 'shared: all get the same events; private: each gets its own')
    .option('--latency-p99 <duration>', 'how late 99 of 100 deliveries may be at most, such as 1s')
    .option('--payload <size>', 'size of an event (default: 256B)')
    .option('--interval <duration>', 'how often pollers ask (default: 5s)')
    .option('--descriptors <number>', 'descriptors that a server process may have (default: 65535)')
    .option(
      '--server-memory <size>',
      'memory that a server process may have (default: the memory per core of the machine in --prices, ' +
        'otherwise 4GB)',
    )
    .option('--profile <file>', 'profile of the machine, as with simulate (default: the shipped one)')
    .option('--prices <file>', 'a price file, such as prices/example.yaml, for a bill')
    .option('--json', 'print the answer as JSON', false)
    .option('--html <file>', 'write a page with charts too')
    .option('--markdown <file>', 'write it as Markdown too, for a meeting')
    .action(async (options: PlanFlags) => {
      const { planCommand } = await loaded(import('./plan.ts'));
      process.exitCode = await planCommand({ ...options, invocation });
    });
}
