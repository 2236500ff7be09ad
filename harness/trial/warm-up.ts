// Warms a server of ours up before the warm-up phase: bursts of events, each when the one before it has
// arrived, until enough deliveries have passed through or the time is over. What a burst holds is
// core/plan/warm-up.ts.

import { patternNamed } from '../../core/pattern/registry.ts';
import { leastArrived, nextRound, patienceMs, warmUpLimitMs, type Round } from '../../core/plan/warm-up.ts';
import type { Completed } from '../../core/result/result.ts';
import { followersOf } from '../../core/scenario/topics.ts';
import { replyLimitMs, type Stage } from './stage.ts';

export type WarmedUp = Readonly<Pick<Completed, 'warmUp'>>;

const stepUs = 2000;
/** What the last burst may take longer than all were to take. */
const overtimeMs = 1000;

/** The bursts of a trial; none where the plan has none, or deliveries wait for their turn by design. */
export async function warmUp(stage: Stage): Promise<WarmedUp> {
  const {
    plan: { warmUp: bursts, scenario },
    variant: { pattern, options },
    fleet: { clock },
    peers: { publisher },
  } = stage;
  if (!bursts || patternNamed(pattern)?.pacesDeliveries?.(options)) return {};
  const fromUs = clock.nowUs();
  const limitUs = fromUs + warmUpLimitMs * 1000;
  let arrived = await arrivals(stage);
  const before = arrived;
  let last: Round | undefined;
  let from = 0;
  let whole = false;
  while (!whole && clock.nowUs() < limitUs) {
    const count = nextRound(bursts, from, last, scenario.server);
    const roundUs = clock.nowUs();
    publisher.send({ kind: 'burst', from, to: from + count });
    const { confirmed } = await publisher.next('burst-done', replyLimitMs(stage));
    if (confirmed < count) break;
    const owed = owedFor(stage, bursts.topic.subarray(from, from + count));
    const came = await settle(stage, arrived, owed, limitUs + overtimeMs * 1000);
    from += count;
    whole = from === bursts.topic.length;
    last = { events: count, tookMs: (clock.nowUs() - roundUs) / 1000 };
    const share = owed === 0 ? 1 : (came - arrived) / owed;
    arrived = came;
    if (share < leastArrived) break;
  }
  await collected(stage);
  return {
    warmUp: { events: from, deliveries: arrived - before, tookUs: clock.nowUs() - fromUs, whole },
  };
}

/** What the bursts left behind is collected now, and not seconds later in the measured phase. */
async function collected(stage: Stage): Promise<void> {
  const { servers } = stage.peers;
  for (const server of servers) server.send({ kind: 'collect' });
  for (const server of servers) server.send({ kind: 'sample' });
  await Promise.all(servers.map((server) => server.next('sample', replyLimitMs(stage))));
}

function owedFor({ plan: { topics, scenario } }: Stage, published: Uint32Array): number {
  return published.reduce((sum, topic) => sum + followersOf(topics, topic, scenario.subscribers), 0);
}

/** @returns deliveries so far, when the burst has arrived, nothing more of it comes, or the time is over */
async function settle(stage: Stage, before: number, owed: number, limitUs: number): Promise<number> {
  const { clock } = stage.fleet;
  let [seen, movedUs] = [before, clock.nowUs()];
  for (;;) {
    const arrived = await arrivals(stage);
    const atUs = clock.nowUs();
    if (arrived !== seen) [seen, movedUs] = [arrived, atUs];
    const share = (arrived - before) / owed;
    if (!(share < 1) || atUs >= limitUs || atUs - movedUs >= patienceMs(share) * 1000) return arrived;
    await clock.until(atUs + stepUs, stage.over);
  }
}

/** Deliveries that all subscribers have had since they were there. */
async function arrivals(stage: Stage): Promise<number> {
  const { loads } = stage.peers;
  for (const load of loads) load.send({ kind: 'sample' });
  const samples = await Promise.all(loads.map((load) => load.next('sample', replyLimitMs(stage))));
  return samples.reduce((sum, { counters }) => sum + counters.events, 0);
}
