// Runs warm-up and measured phase. From its start on the clock alone decides what happens when.

import type { LoadReport, PublisherReport, Window } from '../../core/protocol/control.ts';
import { asksServers, sampleTimesUs } from '../../core/protocol/window.ts';
import type { TrialPlan } from '../plan/plan.ts';
import { joinSeqs } from '../plan/senders.ts';
import { placesOf } from '../cluster/beside.ts';
import { joinCpu, noCpu } from '../process/cpu.ts';
import { throttledBetween, type ThrottleCount, type Throttling } from '../process/cgroup.ts';
import { rssOf, sumKnown, type NetworkCount } from '../process/probe.ts';
import { playFaults, type Playing } from './faults.ts';
import type { Sampling } from './sampling.ts';
import type { Progress, Stage } from './stage.ts';

/** What was read of the servers and the host from outside. */
type Outside = Readonly<{
  /** Of all servers. */
  descriptorsPeak: number;
  kernelPeakBytes: number | undefined;
  /** The host's counts at the two ends of the measured phase. */
  network: Readonly<{ from: NetworkCount | undefined; to: NetworkCount | undefined }>;
  /** Of the measured phase; undefined where no quota binds this process and its children. */
  throttling: Throttling | undefined;
  hasProc: boolean;
}>;

export type Measured = Outside &
  Readonly<{
    /** Of the events of all senders; its histograms and problems are the publisher's. */
    done: Extract<PublisherReport, { kind: 'done' }>;
    /** What the load processes say of the messages that their subscribers sent. */
    sent: readonly Extract<LoadReport, { kind: 'sent' }>[];
    /** The faults, of which something may still go on. */
    playing: Playing;
  }>;

/** Between the barrier and the first event: time for every process to learn of it. */
const leadUs = 200_000;
/** The same where some of them are on workers, which learn of it through Redis. */
const workerLeadUs = 1_000_000;
const doneSlackMs = 15_000;

/** The warm-up and the measured phase of a trial that is about to begin. */
export function windowAhead({ plan, fleet: { clock }, peers: { loads } }: Stage): Window {
  const { warmup, measure: lengthMs } = plan.scenario.phases;
  const warmupFromUs = clock.nowUs() + (loads.some(({ worker }) => worker) ? workerLeadUs : leadUs);
  const fromUs = warmupFromUs + warmup * 1000;
  return { warmupFromUs, fromUs, toUs: fromUs + lengthMs * 1000, slotUs: plan.slotMs * 1000 };
}

/**
 * Warm-up and measured phase, up to the answer to the last published event.
 * @param serversQueue the servers have a backlog to look at
 */
export async function measure(
  stage: Stage,
  window: Window,
  sampling: Sampling,
  serversQueue: boolean,
): Promise<Measured> {
  const {
    plan,
    fleet: { clock },
    peers: { loads, publisher },
  } = stage;
  plan.senders?.loads.forEach(({ plan: messages, sender }, i) =>
    loads[i]!.send({
      kind: 'messages',
      plan: messages,
      sender,
      topics: plan.topics,
      seed: plan.scenario.seed,
    }),
  );
  for (const peer of [...loads, publisher]) peer.send({ kind: 'window', window });
  const playing = playFaults(stage, window);
  playing.begun.catch(() => {}); // awaited below
  const doneLimitMs = (window.toUs - clock.nowUs()) / 1000 + doneSlackMs;
  const done = Promise.all([
    publisher.next('done', doneLimitMs),
    Promise.all(plan.senders ? loads.map((load) => load.next('sent', doneLimitMs)) : []),
  ]);
  done.catch(() => {}); // awaited below; until then the race in runTrial raises what breaks
  const outside = await watchFromOutside(stage, window, sampling, serversQueue);
  await playing.begun;
  const [fromPublisher, sent] = await done;
  return {
    ...outside,
    done: withUnconfirmed(
      plan,
      plan.senders ? { ...fromPublisher, seq: allSeqs(plan, fromPublisher.seq, sent) } : fromPublisher,
    ),
    sent,
    playing,
  };
}

/** Whenever the processes sample themselves, asks the servers to, and reads the rest from /proc. */
async function watchFromOutside(
  stage: Stage,
  window: Window,
  sampling: Sampling,
  serversQueue: boolean,
): Promise<Outside> {
  const {
    fleet: { clock, probe },
    peers: { servers, network },
  } = stage;
  let descriptorsPeak = 0;
  let kernelPeakBytes = probe.kernelSocketBytes();
  let from: NetworkCount | undefined;
  let to: NetworkCount | undefined;
  let throttledFrom: readonly ThrottleCount[] | undefined;
  for (const atUs of sampleTimesUs(window)) {
    await clock.until(atUs, stage.over);
    readCpu(stage, sampling);
    if (atUs >= window.fromUs) {
      to = probe.networkCount();
      from ??= to;
      throttledFrom ??= probe.throttling();
    }
    if (asksServers(window, atUs, serversQueue))
      for (const server of servers) server.send({ kind: 'sample' });
    network?.send({ kind: 'sample' });
    const descriptors = descriptorsOf(
      servers.filter(({ running }) => running).map(({ pid }) => probe.countDescriptors(pid)),
    );
    const kernelSocketBytes = probe.kernelSocketBytes();
    sampling.outside({ atUs: clock.nowUs(), descriptors, kernelSocketBytes });
    descriptorsPeak = Math.max(descriptorsPeak, descriptors ?? 0);
    if (kernelSocketBytes !== undefined) kernelPeakBytes = Math.max(kernelPeakBytes ?? 0, kernelSocketBytes);
    stage.report({ ...phaseAt(window, atUs), ...sampling.seen() });
  }
  return {
    descriptorsPeak,
    kernelPeakBytes,
    network: { from, to },
    throttling: throttledBetween(throttledFrom ?? [], probe.throttling()),
    hasProc: probe.hasProc(),
  };
}

/** Where no server runs, none is open. */
function descriptorsOf(counts: readonly (number | undefined)[]): number | undefined {
  return counts.length === 0 ? 0 : sumKnown(counts);
}

/** Before anything else is done at that moment: the first that is read is nearest to it. */
function readCpu({ fleet: { clock, probe }, peers, beside }: Stage, sampling: Sampling): void {
  const all = [
    ...peers.servers.map(({ running, pid }, index) => ({
      role: 'server' as const,
      index,
      pids: running ? [pid] : [],
    })),
    // One on a worker says itself what it used.
    ...peers.loads.flatMap(({ pid, worker }, index) =>
      worker ? [] : [{ role: 'load' as const, index, pids: [pid] }],
    ),
    { role: 'publisher' as const, index: 0, pids: [peers.publisher.pid] },
    ...(peers.network ? [{ role: 'network' as const, index: 0, pids: [peers.network.pid] }] : []),
    ...placesOf(beside.all),
  ];
  const readable = probe.cpu(peers.publisher.pid) !== undefined;
  for (const { role, index, pids } of all) {
    const atUs = clock.nowUs();
    // An ended process uses nothing more: its use up to the last reading stays.
    const reading =
      pids.length === 0
        ? readable
          ? noCpu
          : undefined
        : joinCpu(pids.flatMap((one) => probe.cpu(one) ?? []));
    if (reading) sampling.cpu(role, index, { atUs, reading });
    if (role === 'broker' || role === 'in-front')
      sampling.beside(role, index, { atUs, rssBytes: rssOf(pids, probe) });
  }
}

function allSeqs({ publish, senders }: TrialPlan, seq: Int32Array, sent: Measured['sent']): Int32Array {
  const { publisher, loads } = senders!; // only asked where subscribers send
  return joinSeqs(publish.topic.length, [
    { index: publisher.index, seq },
    ...loads.map(({ index }, i) => ({ index, seq: sent[i]!.seq })),
  ]);
}

/** Where the publisher numbers events, a number that no server confirmed may be an event all the same. */
function withUnconfirmed({ publish: { seq, topic, offsetUs }, scenario }: TrialPlan, done: Measured['done']) {
  if (!seq) return done;
  const warmupUs = scenario.phases.warmup * 1000;
  const unconfirmed = [...seq.keys()]
    .filter((i) => done.seq[i] === 0 && offsetUs[i]! >= warmupUs)
    .map((i) => ({ topic: topic[i]!, seq: seq[i]! }));
  return { ...done, unconfirmed };
}

function phaseAt({ warmupFromUs, fromUs, toUs }: Window, atUs: number): Pick<Progress, 'phase' | 'share'> {
  return atUs < fromUs
    ? { phase: 'warmup', share: (atUs - warmupFromUs) / (fromUs - warmupFromUs) }
    : { phase: 'measure', share: (atUs - fromUs) / (toUs - fromUs) };
}
