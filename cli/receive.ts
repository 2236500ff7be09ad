// Implements `pushbench receive`: takes whatever webhooks somebody sends, says of each whether its signature
// is right, and shows them in the terminal and on a page, until Ctrl-C.

import { Option, type Command } from 'commander';
import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { printableJson } from '../core/base/printable.ts';
import { parseDurationMs } from '../core/base/units.ts';
import { checkedHosts } from './allow-host.ts';
import { collect } from './comparison-commands.ts';
import { checkedPort, notListening, untilSignal } from './port.ts';
import { loaded } from './signals.ts';
import { complain, print } from './print.ts';
import type { Inspector, InspectorOptions } from '../receiver/inspector/inspector.ts';
import type { Exchange } from '../receiver/inspector/exchanges.ts';

export type ReceiveFlags = {
  port: string;
  pagePort?: string;
  host: string;
  allowHost: string[];
  secret: string[];
  scheme?: string;
  tolerance: string;
  status: string;
  json: boolean;
};

/** In the place of --secret, so that it stands in no list of processes and no history of a shell. */
const secretVariable = 'PUSHBENCH_RECEIVE_SECRET';
/** Hosts that are told of when they are turned away; a scanner tries thousands. */
const mostTold = 20;

export function addReceive(root: Command, allowHost: Option): void {
  root
    .command('receive')
    .description('show the webhooks that somebody sends: headers, body, whether the signature is right')
    .option('--port <number>', 'port to listen on, 0 for any free one', '9000')
    .option('--page-port <number>', 'port of the page, on 127.0.0.1 (default: the next one)')
    .option('--host <address>', 'address to listen on; 0.0.0.0 lets other machines in', '127.0.0.1')
    .addOption(allowHost)
    .addOption(
      new Option(
        '--secret <text>',
        `the secret that the sender signs with; ${secretVariable} in its place (may be repeated)`,
      )
        .default([] as string[], 'none')
        .argParser(collect),
    )
    .option(
      '--scheme <name>',
      'take the secret as one of this scheme: standard, standard-ed25519, stripe, github or slack ' +
        "(default: the scheme of each request's headers)",
    )
    .option('--tolerance <duration>', 'how old a signature may be', '5m')
    .option('--status <number>', 'what to answer, 200 to 599', '204')
    .option('--json', 'print each request as a line of JSON', false)
    .action(async (flags: ReceiveFlags) => {
      process.exitCode = await receiveCommand(flags);
    });
}

/** Receives until a signal comes. */
export async function receiveCommand(flags: ReceiveFlags): Promise<ExitCode> {
  const port = checkedPort(flags.port);
  const pagePort = flags.pagePort === undefined ? nextPort(port) : checkedPagePort(flags.pagePort);
  const options = await optionsOf(flags);
  const { exchangeLines } = await import('../receiver/inspector/text.ts');
  const { startInspector } = await loaded(import('../receiver/inspector/inspector.ts'));
  const inspector = await startInspector({
    ...options,
    host: flags.host,
    port,
    pagePort,
    heard: flags.json ? (exchange) => writeJson(exchange) : (exchange) => print(exchangeLines(exchange)),
    turnedAway: teller(),
  }).catch((error: unknown) => notReceiving(error, flags.host, port, pagePort));
  const stopped = untilSignal();
  (flags.json ? complain : print)(greeting(inspector, options));
  await stopped;
  await inspector.close();
  return exitCodes.ok;
}

function greeting(
  { url, pageUrl }: Inspector,
  { secrets, conduct }: Pick<InspectorOptions, 'secrets' | 'conduct'>,
) {
  const checked =
    secrets.length === 0
      ? 'Signatures are recognised and not checked: start it with --secret to check them.'
      : 'Signatures are checked.';
  return (
    `Receiving webhooks on ${url}, any path. It answers ${conduct.status}.\n` +
    `Page: ${pageUrl}\n${checked}\n\n` +
    `# answer otherwise: an error, late, never\n` +
    `curl -X PUT -d '{"status":500,"times":2}' ${pageUrl}conduct\n` +
    `curl -X PUT -d '{"byMs":3000}' ${pageUrl}conduct\n` +
    `curl -X PUT -d '{"does":"hang"}' ${pageUrl}conduct\n\nCtrl-C ends it.\n`
  );
}

/** @throws UserError when a flag is wrong */
async function optionsOf(
  flags: ReceiveFlags,
): Promise<
  Pick<InspectorOptions, 'allowHosts' | 'secrets' | 'scheme' | 'toleranceS' | 'conduct' | 'isStrict'>
> {
  const { isSchemeName } = await import('../receiver/inspector/secrets.ts');
  const { wellBehaved } = await import('../receiver/inspector/conduct.ts');
  const { schemeNames } = await import('../core/signature/schemes.ts');
  const { longestToleranceS } = await import('../core/signature/scheme.ts');
  const { scheme } = flags;
  if (scheme !== undefined && !isSchemeName(scheme))
    throw new UserError('scheme', `--scheme ${scheme} is not a scheme: there are ${schemeNames.join(', ')}.`);
  const toleranceMs = parseDurationMs(flags.tolerance);
  if (toleranceMs === undefined || toleranceMs > longestToleranceS * 1000)
    throw new UserError(
      'tolerance',
      `--tolerance ${flags.tolerance}: give a duration of up to a year with its unit, such as 5m.`,
    );
  const status = Number(flags.status);
  if (!/^[2-5]\d\d$/.test(flags.status))
    throw new UserError('status', `--status ${flags.status} is not a final status of HTTP: give 200 to 599.`);
  const fromEnvironment = process.env[secretVariable];
  const secrets =
    flags.secret.length > 0 || fromEnvironment === undefined || fromEnvironment === ''
      ? flags.secret
      : [fromEnvironment];
  if (scheme !== undefined && secrets.length === 0)
    throw new UserError(
      'scheme',
      `--scheme says how a secret is read, and there is none: give --secret too.`,
    );
  if (secrets.some((text) => text.endsWith('...')))
    throw new UserError('secret', '--secret ends with "...": put the secret of your sender there.');
  return {
    allowHosts: checkedHosts(flags.allowHost),
    secrets,
    ...(scheme !== undefined && { scheme }),
    toleranceS: toleranceMs / 1000,
    conduct: { ...wellBehaved, status },
    isStrict: false,
  };
}

const nextPort = (port: number) => (port === 0 || port === 65_535 ? 0 : port + 1);

/** @throws UserError */
function checkedPagePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UserError(
    'port',
    `--page-port ${text} is not a port: give a number from 1 to 65535, or 0 for any free one.`,
  );
}

/** @throws UserError when an address or a port cannot be used; any other error as it is */
function notReceiving(error: unknown, host: string, port: number, pagePort: number): never {
  const isOfPage = error instanceof Error && 'port' in error && error.port === pagePort && pagePort !== port;
  if (isOfPage && 'code' in error && error.code === 'EADDRINUSE')
    throw new UserError(
      'port-taken',
      `Port ${pagePort} on 127.0.0.1, for the page, is taken. Choose another with --page-port, or ` +
        '--page-port 0 for any free one.',
      exitCodes.failed,
    );
  return notListening(error, host, port);
}

function writeJson(exchange: Exchange): void {
  process.stdout.write(`${printableJson(exchange)}\n`);
}

/** Says once of each host that it was turned away, and of the first requests that were wrong otherwise. */
function teller(): NonNullable<InspectorOptions['turnedAway']> {
  const told = new Set<string>();
  return (message, host) => {
    const key = host ?? message;
    if (told.has(key) || told.size >= mostTold) return;
    told.add(key);
    complain(`Turned away: ${message}`);
  };
}
