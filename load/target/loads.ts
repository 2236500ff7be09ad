// Starts the subscribers of a target that is not ours, by pattern, and makes its problems safe to show.

import { isIP } from 'node:net';
import { UserError } from '../../core/base/errors.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import { redact } from '../../core/secrets/redact.ts';
import type { TargetPattern } from '../../core/target/target.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import type { TargetContext } from './legs.ts';

/**
 * Starts a pattern's subscribers against a target.
 * @param options as the pattern's schema parsed them; only the client's are looked at
 * @throws UserError `target-pattern` when the target file does not describe the pattern
 */
export async function startTarget(
  pattern: string,
  options: Readonly<Record<string, unknown>>,
  target: TargetContext,
): Promise<RunningLoad> {
  const { access } = target;
  const how = access.subscribe[pattern as TargetPattern];
  if (!how)
    throw new UserError(
      'target-pattern',
      `the target ${access.name} does not say how to subscribe to ${pattern}`,
    );
  const context = await contextFor(target, new URL(how.url.replaceAll(/[{}]/g, '')));
  const given = {
    ...target,
    context,
    note: (code: string, message: string) => target.note(code, redact(message, access.secrets)),
  };
  // The options were validated against the pattern's own schema where the scenario was read.
  switch (pattern as TargetPattern) {
    case 'polling':
      return (await import('./poller.ts')).targetPolling(given, how, options as PatternOptions<'polling'>);
    case 'long-polling':
      return (await import('./poller.ts')).targetLongPolling(
        given,
        how,
        options as PatternOptions<'long-polling'>,
      );
    case 'http-stream':
      return (await import('./streams.ts')).targetHttpStream(
        given,
        how,
        options as PatternOptions<'http-stream'>,
      );
    case 'sse':
      return (await import('./streams.ts')).targetSse(given, how, options as PatternOptions<'sse'>);
    case 'websocket':
      return (await import('./websocket.ts')).targetWebsocket(
        given,
        how,
        options as PatternOptions<'websocket'>,
      );
  }
}

async function contextFor({ context, access }: TargetContext, url: URL): Promise<LoadContext> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // The other loopback addresses reach nothing but loopback itself.
  const local = isIP(host) === 4 && host.startsWith('127.');
  return {
    ...context,
    ...(!local && { sourceAddress: () => '127.0.0.1' }),
    ...(url.protocol === 'https:' && {
      connector: (await import('../wire/secure.ts')).secureConnector(access.ca),
    }),
    sink: {
      ...context.sink,
      problem: (code, message) => context.sink.problem(code, redact(message, access.secrets)),
    },
  };
}
