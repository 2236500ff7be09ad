// Implements `pushbench serve`: runs one reference server alone, for a workshop, with a page for browsers and
// lines for a terminal, until Ctrl-C.

import { parse } from 'yaml';
import { exitCodes, messageOf, UserError, type ExitCode } from '../core/base/errors.ts';
import { expectation, findingsOf } from '../core/base/issues.ts';
import { isPatternName, patterns, type PatternName } from '../core/pattern/registry.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { nearest } from '../core/base/suggest.ts';
import { startServer } from '../servers/start.ts';
import { checkedHosts } from './allow-host.ts';
import { checkedPort, notListening, untilSignal } from './port.ts';
import { serveLines } from './serve-lines.ts';
import { startServeReceiver } from './serve-receiver.ts';

/** Deliveries under way may end, and subscribers are told. */
const drainLimitMs = 10_000;

/** Serves until a signal comes. */
export async function serveCommand(
  pattern: string,
  options: {
    port: string;
    host: string;
    allowHost: string[];
    set: string[];
    tls?: boolean;
    receiver?: string | true;
    invocation: string;
  },
): Promise<ExitCode> {
  if (!isPatternName(pattern)) {
    const near = nearest(pattern, Object.keys(patterns));
    throw new UserError(
      'pattern',
      `There is no pattern called "${pattern}"${near ? `; did you mean "${near}"?` : '.'} There are: ` +
        `${Object.keys(patterns).join(', ')}.`,
    );
  }
  if (options.receiver !== undefined && pattern !== 'webhook')
    throw new UserError(
      'receiver',
      `--receiver goes with serve webhook; clients of ${pattern} connect themselves.`,
    );
  const port = checkedPort(options.port);
  const { host } = options;
  const allowHosts = checkedHosts(options.allowHost);
  const parsed = parseOptions(pattern, options.set);
  const lines = await serveLines(pattern, parsed, options.invocation);
  const server = await startServer({
    pattern,
    options: parsed,
    limits: defaultLimits,
    seed: 1,
    host,
    port,
    allowHosts,
    page: lines,
    ...(options.tls === true && { tls: { resume: true } }),
  }).catch((error: unknown) => notListening(error, host, port));
  // Before anything is printed: who reads it may send the signal at once.
  const stopped = untilSignal(drainLimitMs);
  const { page, endpoint, hub } = server;
  const { title, how } = patterns[pattern];
  if (page !== undefined) console.log(`${new URL(page).pathname === '/' ? 'Page' : 'Dashboard'}: ${page}\n`);
  console.log(`${title}: ${how}.\nListening on ${endpoint.url}\n`);
  // The receiver registers itself, so the first endpoint is its own.
  const own = options.receiver === undefined ? [] : ['register', 'remove'];
  for (const { what, command } of lines.commands(endpoint, hub.cursor()))
    if (!own.some((word) => what.startsWith(word))) console.log(`# ${what}\n${command}\n`);
  const receiver =
    options.receiver === undefined
      ? undefined
      : await startServeReceiver(server, parsed, port, options.receiver).catch(async (error: unknown) => {
          await server.close();
          throw error;
        });
  console.log('Ctrl-C ends it.');
  await stopped;
  await receiver?.close();
  await server.close();
  return exitCodes.ok;
}

function parseOptions(pattern: PatternName, assignments: readonly string[]): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1)
      throw new UserError(
        'set',
        `--set ${assignment}: write it as option=value, such as --set heartbeat=5s.`,
      );
    try {
      given[assignment.slice(0, at)] = parse(assignment.slice(at + 1));
    } catch (error) {
      throw new UserError('set', `--set ${assignment}: ${messageOf(error)}`);
    }
  }
  const parsed = patterns[pattern].options.safeParse(given, { error: expectation });
  if (parsed.success) return parsed.data;
  const mistakes = findingsOf(parsed.error, given).map(
    ({ path, message }) => `  ${path.join('.')}: ${message}`,
  );
  throw new UserError('options', `These options do not fit ${pattern}:\n${mistakes.join('\n')}`);
}
