// Puts a variant's own pattern and the patterns that it falls back to on one hub: one server answers all
// paths.

import { isPatternName, patternNamed, patterns } from '../core/pattern/registry.ts';
import type { DrainCount } from '../core/policy/server/drain.ts';
import type { PatternContext, PatternServer, RunningPattern } from './pattern.ts';
import { patternServers } from './registry.ts';

type Options = Readonly<Record<string, unknown>>;

/** Starts a pattern, and those that its options name to fall back to, with their defaults. */
export async function startWithFallbacks(
  pattern: string,
  server: PatternServer<Options>,
  context: PatternContext,
  options: Options,
): Promise<RunningPattern> {
  const own = await server.start(context, options);
  const names = patternNamed(pattern)?.fallsBackTo?.(options) ?? [];
  if (names.length === 0) return own;
  const others = await Promise.all(names.filter(isPatternName).map((name) => startDefault(name, context)));
  const all = [own, ...others];
  return {
    ...own,
    routes: Object.assign({}, ...all.map(({ routes }) => routes)) as RunningPattern['routes'],
    waits(request, response) {
      for (const one of all) one.waits?.(request, response);
    },
    subscribers: () => all.reduce((sum, one) => sum + one.subscribers(), 0),
    disconnect(share) {
      for (const one of all) one.disconnect(share);
    },
    async drain(plan) {
      const counts = await Promise.all(all.map((one) => one.drain(plan)));
      const sum = (name: keyof DrainCount) => counts.reduce((total, count) => total + count[name], 0);
      return { told: sum('told'), left: sum('left'), closedAtLimit: sum('closedAtLimit') };
    },
    setDown(isDown) {
      for (const one of all) one.setDown(isDown);
    },
    async close() {
      await Promise.all(all.map((one) => one.close()));
    },
  };
}

async function startDefault(name: keyof typeof patterns, context: PatternContext): Promise<RunningPattern> {
  // Parsed by the schema of this very pattern.
  const server = (await patternServers[name]()) as PatternServer<Options>;
  return server.start(context, patterns[name].options.parse({}));
}
