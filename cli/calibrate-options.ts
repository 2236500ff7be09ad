// Declares `pushbench calibrate` with its options.

import type { Command } from 'commander';
import type { CalibrateFlags } from './calibrate.ts';
import { loaded } from './signals.ts';

export function addCalibrate(root: Command, invocation: string): void {
  root
    .command('calibrate')
    .description(
      'measure the costs of this machine for simulations, as a profile (docs/simulation/calibrate.md)',
    )
    .option('--full', 'over an hour: at least 500 events a point, each point twice, more points', false)
    .option('--patterns <names>', 'only these, such as sse,websocket (default: all)')
    .option('--no-cluster', 'without brokers and HAProxy, which are measured if they are installed')
    .option('--minutes <number>', 'how long it may take at most (default: 10; with --full: 80)')
    .option('--name <name>', 'name of the profile in reports (default: the CPU and its cores)')
    .option('--output <file>', 'where the profile is written', 'profile.json')
    .option('--quiet', 'print nothing while it runs', false)
    .action(async (options: CalibrateFlags) => {
      const { calibrateCommand } = await loaded(import('./calibrate.ts'));
      process.exitCode = await calibrateCommand({ ...options, invocation });
    });
}
