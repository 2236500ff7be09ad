// Decides which bodies get through to subscribers with a server's limits. For a size in a scenario
// contradictions.ts asks; for bodies of corpora and traces, which are read later, harness/plan/body-limit.ts.

import { alwaysHeldBytes, aroundBodyBytes, largestBodyBytes } from '../event/body-size.ts';
import type { PatternRegistry } from '../pattern/pattern.ts';
import { formatBytes } from '../base/units.ts';
import type { ServerLimits } from './scenario.ts';

/** What stands in the way of a body. */
export type Obstacle = {
  /** No larger body gets through. */
  mostBytes: number;
  /** Goes on "of 5 MiB do not arrive: ". */
  why: string;
  /** The setting that has to be raised, and to how much; none where no setting helps. */
  raise: { key: string; toBytes: number } | undefined;
};

/**
 * What keeps a body of that size from subscribers of these patterns; nothing where it arrives.
 * @param patterns names in `registry`
 */
export function obstaclesTo(
  bodyBytes: number,
  { maxBody, slowBuffer, historySize }: Pick<ServerLimits, 'maxBody' | 'slowBuffer' | 'historySize'>,
  patterns: readonly string[],
  registry: PatternRegistry,
): Obstacle[] {
  if (bodyBytes > largestBodyBytes) {
    const why = `the body of an event has at most ${formatBytes(largestBodyBytes)}`;
    return [{ mostBytes: largestBodyBytes, why, raise: undefined }];
  }
  const fromHistory = patterns.find((name) => registry[name]!.fromHistory);
  const pushed = patterns.find((name) => !registry[name]!.fromHistory);
  const obstacles: Obstacle[] = [
    {
      mostBytes: maxBody,
      why: `the server refuses bodies larger than server.maxBody (${formatBytes(maxBody)})`,
      raise: { key: 'server.maxBody', toBytes: bodyBytes },
    },
  ];
  if (pushed !== undefined) {
    obstacles.push({
      mostBytes: Math.max(slowBuffer, alwaysHeldBytes),
      why:
        `a subscriber of "${pushed}" that is still taking one has more waiting than server.slowBuffer ` +
        `allows (${formatBytes(slowBuffer)})`,
      raise: { key: 'server.slowBuffer', toBytes: bodyBytes },
    });
  }
  if (fromHistory !== undefined) {
    obstacles.push({
      mostBytes: historySize - aroundBodyBytes,
      why:
        `"${fromHistory}" fetches events from the history, which keeps none of that size with ` +
        `server.historySize (${formatBytes(historySize)})`,
      raise: { key: 'server.historySize', toBytes: bodyBytes + aroundBodyBytes },
    });
  }
  return obstacles.filter(({ mostBytes }) => bodyBytes > mostBytes);
}

/** All reasons in one sentence's end. */
export function writeObstacles(obstacles: readonly Obstacle[]): string {
  return obstacles.map(({ why }) => why).join(', and ');
}
