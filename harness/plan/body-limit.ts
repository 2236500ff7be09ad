// Refuses, before anything is started, bodies that would not arrive one by one: those of a corpus or a trace,
// whose sizes are known only when their files have been read. Sizes that stand in the scenario are
// core/scenario/contradictions.ts's to refuse; which bodies arrive, core/scenario/body-room.ts decides.

import { UserError } from '../../core/base/errors.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { obstaclesTo, writeObstacles } from '../../core/scenario/body-room.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { formatNumber } from '../../core/base/units.ts';
import type { TrialPlan } from './plan.ts';

/**
 * @throws UserError `body-too-large` with how many events are concerned, the largest
 *   body, and what would hold it
 */
export function refuseLargeBodies(
  { scenario, topics, publish }: Pick<TrialPlan, 'scenario' | 'topics' | 'publish'>,
  registry: PatternRegistry,
): void {
  const corpusBytes = publish.corpus.map((body) => Buffer.byteLength(body));
  const bytesOf = (body: number) => (body >= 0 ? corpusBytes[body]! : -body);
  let largest = { bytes: 0, event: 0 };
  for (const [i, body] of publish.body.entries()) {
    const bytes = bytesOf(body);
    if (bytes > largest.bytes) largest = { bytes, event: i };
  }
  const { bytes, event } = largest;
  const patterns = scenario.variants.map(({ pattern }) => pattern);
  const obstacles = obstaclesTo(bytes, scenario.server, patterns, registry);
  if (obstacles.length === 0) return;
  const mostBytes = Math.min(...obstacles.map((obstacle) => obstacle.mostBytes));
  const refused = publish.body.reduce((sum, body) => sum + (bytesOf(body) > mostBytes ? 1 : 0), 0);
  const topic = topicName(topics, publish.topic[event]!);
  const from = publish.body[event]! >= 0 ? 'its corpus' : 'its trace';
  const settings = obstacles.flatMap(({ raise }) => (raise ? `--set ${raise.key}=${raise.toBytes}B` : []));
  const advice = `take such bodies out of ${from}`;
  throw new UserError(
    'body-too-large',
    `${formatNumber(refused)} of the ${formatNumber(publish.body.length)} events of "${scenario.name}" ` +
      `would not arrive: the largest body, on topic "${topic}" from ${from}, has ` +
      `${formatNumber(bytes)} bytes, and ${writeObstacles(obstacles)}. ` +
      (settings.length > 0
        ? `Raise it with ${settings.join(' ')}, or ${advice}.`
        : `${advice[0]!.toUpperCase()}${advice.slice(1)}.`),
  );
}
