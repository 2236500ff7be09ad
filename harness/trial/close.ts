// Runs the end of a trial: subscribers stop and close their ledgers, then the servers count a last time.

import type { Acted, LoadClosed, SelfSample } from '../../core/protocol/control.ts';
import { addCounters, newCounters, type Counters } from '../../core/result/counters.ts';
import type { DrainedReport } from '../../core/policy/server/drain.ts';
import type { Traffic } from '../../core/protocol/network.ts';
import type { WorkerUse } from '../../core/result/worker-use.ts';
import type { Drained } from './drain.ts';
import type { PlayedFault } from './faults.ts';
import type { Measured } from './measure.ts';
import { replyLimitMs, type Stage } from './stage.ts';

export type Closed = Readonly<{
  closed: readonly LoadClosed[];
  /** Of all servers. */
  serverCounters: Counters;
  /** A target's process has ended. */
  serverGone: boolean;
  /** How often a fault ended a server so that it could not count a last time. */
  serversKilled: number;
  faults: readonly PlayedFault[];
  /** What went through the network between the processes, where there is one. */
  traffic?: Traffic;
  /** What the processes did for the faults. */
  acted: readonly Acted[];
  /** What became of the clients of servers that were drained, where that was over before the close. */
  drains: readonly DrainedReport[];
  /** The workers that load processes ran on, in the order of these. */
  workers: readonly WorkerUse[];
}>;

/** After the subscribers have closed, until the servers have seen it. */
const settleUs = 100_000;

/** Closes the ledgers and takes the last counts. */
export async function closeAll(
  stage: Stage,
  { ranges, unconfirmed }: Pick<Drained, 'ranges' | 'unconfirmed'>,
  { playing }: Pick<Measured, 'playing'>,
): Promise<Closed> {
  const {
    fleet: { clock },
    peers: { servers, loads, network },
  } = stage;
  stage.report({ phase: 'close', connected: 0, published: 0, delivered: 0 });
  const firstSeq = Int32Array.from(ranges, ({ first }) => first);
  const lastSeq = Int32Array.from(ranges, ({ last }) => last);
  const closeUs = clock.nowUs();
  const limitMs = replyLimitMs(stage);
  for (const load of loads) load.send({ kind: 'close', firstSeq, lastSeq, unconfirmed });
  const closed = await Promise.all(loads.map((load) => load.next('closed', limitMs)));
  const workers = await Promise.all(loads.flatMap(({ worker }) => worker?.account() ?? []));
  await clock.until(clock.nowUs() + settleUs, stage.over);
  const askedUs = clock.nowUs();
  for (const peer of [...servers, ...(network ? [network] : [])]) peer.send({ kind: 'sample' });
  // A server that was busy may have samples of the measured phase still to send: they are of that phase.
  const asked = ({ sample }: { sample: SelfSample }) => sample.atUs >= askedUs;
  const [last, ofNetwork] = await Promise.all([
    Promise.all(servers.map((server) => server.next('sample', limitMs, asked))),
    network?.next('sample', limitMs, asked),
  ]);
  return {
    closed,
    workers,
    ...(ofNetwork && { traffic: ofNetwork.traffic }),
    serverCounters: last.reduce((sum, { counters }) => addCounters(sum, counters), newCounters()),
    serverGone: last.some(({ gone }) => gone),
    serversKilled: servers.reduce((sum, { kills }) => sum + kills, 0),
    faults: playing.soFar(),
    // A process reports in order, so by its last report all of these have come.
    acted: [
      ...servers.flatMap((server) => server.takeAll('acted')),
      ...loads.flatMap((load) => load.takeAll('acted')),
      ...(network?.takeAll('acted') ?? []),
    ],
    // The subscribers' own going ends a drain that is not over by then, and is no figure of it.
    drains: servers.flatMap((server) => server.takeAll('drained')).filter(({ atUs }) => atUs <= closeUs),
  };
}
