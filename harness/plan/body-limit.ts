// Refuses, before anything is started, bodies that the server would refuse one by one: those of a corpus or a
// trace, whose sizes are known only when their files have been read. Sizes that stand in the scenario are
// core/scenario/contradictions.ts's to refuse.

import { UserError } from '../../core/base/errors.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { formatBytes, formatNumber } from '../../core/base/units.ts';
import type { TrialPlan } from './plan.ts';

/**
 * @throws UserError `body-too-large` with how many events are concerned, the largest
 *   body, and what would hold it
 */
export function refuseLargeBodies({
  scenario,
  topics,
  publish,
}: Pick<TrialPlan, 'scenario' | 'topics' | 'publish'>): void {
  const limitBytes = scenario.server.maxBody;
  const corpusBytes = publish.corpus.map((body) => Buffer.byteLength(body));
  let refused = 0;
  let largest = { bytes: 0, event: 0 };
  for (const [i, body] of publish.body.entries()) {
    const bytes = body >= 0 ? corpusBytes[body]! : -body;
    if (bytes <= limitBytes) continue;
    refused++;
    if (bytes > largest.bytes) largest = { bytes, event: i };
  }
  if (refused === 0) return;
  const { bytes, event } = largest;
  const topic = topicName(topics, publish.topic[event]!);
  const from = publish.body[event]! >= 0 ? 'its corpus' : 'its trace';
  throw new UserError(
    'body-too-large',
    `The server would refuse ${formatNumber(refused)} of the ${formatNumber(publish.body.length)} events ` +
      `of "${scenario.name}": the largest body, on topic "${topic}" from ${from}, has ` +
      `${formatNumber(bytes)} bytes, and server.maxBody is ${formatBytes(limitBytes)}. Raise it with --set ` +
      `server.maxBody=${bytes}B, or take such bodies out of ${from}.`,
  );
}
