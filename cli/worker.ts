// Implements `pushbench worker`: makes the load of runs that are coordinated elsewhere, one after the other,
// until Ctrl-C.

import { Option, type Command } from 'commander';
import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { allowedHost } from '../core/http/access.ts';
import { collect } from './comparison-commands.ts';
import { untilSignal } from './port.ts';
import { complain } from './print.ts';
import { tokenOf, tokenVariable } from './run-workers.ts';
import { loaded } from './signals.ts';

export type WorkerCommandFlags = { join: string; token?: string; allow: string[] };

export function addWorker(root: Command): void {
  root
    .command('worker')
    .description(
      'make the load of runs that are coordinated elsewhere, one load process at a time ' +
        '(docs/how-to/several-machines.md)',
    )
    .requiredOption(
      '--join <url>',
      'the Redis that the run names with --workers, such as redis://10.0.0.5:6379',
    )
    .option('--token <secret>', `the token of the run; ${tokenVariable} in its place`)
    .addOption(
      new Option('--allow <host>', 'send load to this host besides loopback (may be repeated)')
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .action(async (flags: WorkerCommandFlags) => {
      process.exitCode = await workerCommand(flags);
    });
}

/** Works until a signal comes. */
export async function workerCommand({ join, token, allow }: WorkerCommandFlags): Promise<ExitCode> {
  const secret = tokenOf(token);
  const hosts = allow.map(checkedAllow);
  const { runWorker } = await loaded(import('../harness/workers/worker.ts'));
  const stop = new AbortController();
  void untilSignal().then(() => stop.abort());
  try {
    await runWorker({ url: join, token: secret, allow: hosts, say: complain, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return exitCodes.ok;
}

/** @throws UserError */
function checkedAllow(text: string): string {
  const host = allowedHost(text);
  if (host !== undefined && host !== '') return host;
  throw new UserError(
    'allow',
    `--allow ${text} is no host: give a name or an address alone, such as 10.0.0.5, without scheme, port ` +
      'or path.',
  );
}
