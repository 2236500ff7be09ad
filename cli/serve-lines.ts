// Makes the lines that `pushbench serve` prints and its page lists: each works as it stands.

import type { Pattern } from '../core/pattern/pattern.ts';
import { patterns, type PatternName } from '../core/pattern/registry.ts';
import type { Endpoint } from '../core/protocol/control.ts';
import type { Command, PageOptions } from '../servers/page/page.ts';
import type { PatternServer } from '../servers/pattern.ts';
import { patternServers } from '../servers/registry.ts';

/**
 * @param options of the pattern, parsed
 * @param invocation what goes before the arguments of a command of ours
 */
export async function serveLines(
  pattern: PatternName,
  options: Readonly<Record<string, unknown>>,
  invocation: string,
): Promise<PageOptions> {
  const server: PatternServer<never> = await patternServers[pattern]();
  const examples = server.examples(options as never); // parsed by this pattern's schema
  return {
    commands: (endpoint, cursor) => [
      ...followLine(pattern, endpoint, invocation),
      ...examples.map(({ what, command }) => ({
        what,
        command: unchecked(command(endpoint.url, endpoint.publishUrl, cursor, invocation)),
      })),
    ],
  };
}

/** curl takes the test certificate when it is told not to check it. */
function unchecked(command: string): string {
  return command.replace(/^curl (?!-\w*k)(?=.*'https:)/, 'curl -k ');
}

/**
 * Where `pushbench follow` can follow: it opens the connection itself, speaks HTTP/1.1, and checks every
 * certificate.
 */
function followLine(pattern: PatternName, { url, over }: Endpoint, invocation: string): Command[] {
  const entry: Pattern = patterns[pattern];
  if (over !== 'h1' || url.startsWith('https:') || entry.lacks['behind-nat'] !== undefined) return [];
  return [{ what: 'follow a topic here', command: `${invocation} follow '${url}' --topic news` }];
}
