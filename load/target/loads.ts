// Lists the load sides of targets that are not ours, by pattern, and starts them. Loaded when asked for, as
// those of our own servers are (load/registry.ts).

import { isIP } from 'node:net';
import { addressOf } from '../../core/base/address.ts';
import { UserError } from '../../core/base/errors.ts';
import type { PatternOptions, TargetPattern } from '../../core/pattern/registry.ts';
import { redact } from '../../core/secrets/redact.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import type { TargetContext } from './legs.ts';

/** Starts a pattern's subscribers against a target; only the client's options are looked at. */
type TargetLoad<Options> = (target: TargetContext, how: TargetSubscribe, options: Options) => RunningLoad;

/** One for each pattern whose entry (core/pattern) says how a target file describes it. */
export const targetLoads: { readonly [P in TargetPattern]: () => Promise<TargetLoad<PatternOptions<P>>> } = {
  polling: async () => (await import('./poller.ts')).targetPolling,
  'long-polling': async () => (await import('./poller.ts')).targetLongPolling,
  'http-stream': async () => (await import('./streams.ts')).targetHttpStream,
  sse: async () => (await import('./streams.ts')).targetSse,
  websocket: async () => (await import('./websocket.ts')).targetWebsocket,
};

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
  const how = access.subscribe[pattern];
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
  // Described, so it is one of these; its options were parsed where the scenario was read.
  const start = (await targetLoads[pattern as TargetPattern]()) as TargetLoad<typeof options>;
  return start(given, how, options);
}

async function contextFor({ context, access }: TargetContext, url: URL): Promise<LoadContext> {
  const { host } = addressOf(url);
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
