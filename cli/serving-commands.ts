// Declares the commands around single servers, with their arguments and options.

import { Option, type Command } from 'commander';
import { collect } from './comparison-commands.ts';
import type { FollowFlags } from './follow.ts';
import { loaded } from './signals.ts';

/** One that may be repeated. */
const several = (flags: string, what: string) =>
  new Option(flags, `${what} (may be repeated)`).default([] as string[], 'none').argParser(collect);

export function addServingCommands(root: Command): void {
  root
    .command('follow')
    .description('follow one address, ours or another, and print its events: SSE, WebSocket, NDJSON, polling')
    .argument('<url>', 'http(s):// or ws(s)://; of our servers the address that "serve" prints')
    .addOption(
      several('--topic <name>', 'a topic of our servers; news if neither this nor the URL names one'),
    )
    .option(
      '--pattern <name>',
      'polling, long-polling, http-stream, sse or websocket, if the answer does not show it',
    )
    .option('--json', 'a line of JSON for each event', false)
    .option('--events <number>', 'end after this number of events')
    .option('--for <duration>', 'end after this time, such as 10s')
    .option('--every <duration>', 'time between two polls', '1s')
    .addOption(
      several('--header <field>', 'send this with every request, such as "Authorization: Bearer ..."'),
    )
    .addOption(several('--send <text>', 'send this message on a socket once it is open'))
    .option('--ca <file>', 'also trust this certificate authority (PEM), with https and wss')
    .addHelpText(
      'after',
      `
Events go to standard output, one a line; all else to standard error. It comes back when the connection is
lost, as the pattern's rules say, and asks for what it missed. Redirects are not followed.`,
    )
    .action(async (url: string, flags: FollowFlags) => {
      const { followCommand } = await loaded(import('./follow.ts'));
      process.exitCode = await followCommand(url, flags);
    });
}
