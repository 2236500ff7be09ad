// The phases of a trial, one function each. A phase talks to the processes and gathers readings; it draws no
// conclusion from them.

import type { Counters } from '../../core/result/counters.ts';
import type {
  Endpoint,
  EventNumber,
  LoadClosed,
  LoadReport,
  LoadSample,
  PublisherReport,
  SelfSample,
  Window,
} from '../../core/protocol/control.ts';
import { quantileUs } from '../../core/result/histogram.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Browser } from '../../core/scenario/scenario.ts';
import { followersOf } from '../../core/scenario/topics.ts';
import { sampleTimesUs } from '../../core/protocol/window.ts';
import type { Fleet, LoadPeer, PublisherPeer, ServerPeer } from './fleet.ts';
import type { TrialPlan } from '../plan/plan.ts';
import { joinSeqs } from '../plan/senders.ts';
import type { DescriptorCount, NetworkCount } from '../process/probe.ts';
import { createTimeline, type Timeline } from './timeline.ts';

/** What a view of the run is told, several times a second. */
export type Progress = {
  phase: 'start' | 'connect' | 'warmup' | 'measure' | 'drain' | 'close';
  /** Share of the phase that is over, where its length is known. */
  share?: number;
  connected: number;
  published: number;
  delivered: number;
  p50Us?: number | undefined;
  p99Us?: number | undefined;
};

export type Peers = { server: ServerPeer; loads: LoadPeer[]; publisher: PublisherPeer };

/** What every phase is given. */
export type Stage = {
  plan: TrialPlan;
  variant: Variant;
  fleet: Fleet;
  peers: Peers;
  report: (progress: Progress) => void;
  /** Aborted when the trial is over, however it ended. Every wait of a phase ends with it. */
  over: AbortSignal;
};

/** A process at three moments: idle, all connected, and through warm-up and measured phase. */
export type ProcessReadings = {
  role: 'server' | 'load' | 'publisher';
  pid: number;
  baseline: SelfSample;
  connected: SelfSample;
  samples: { sample: SelfSample; counters?: Counters }[];
};

/** What the server's samples say: all, what /proc tells, or nothing. */
export type ServerReadings = 'self' | 'outside' | 'none';

export type Connected = {
  serverReadings: ServerReadings;
  connectUs: number;
  /** Subscribers that were connected when the barrier opened. */
  subscribers: number;
  processes: ProcessReadings[];
  descriptors: { baseline: DescriptorCount | undefined; connected: DescriptorCount | undefined };
  kernelBaselineBytes: number | undefined;
};
export type Measured = {
  window: Window;
  timeline: Timeline;
  /** Of all events, whoever sent them; its histograms and problems are the publisher's. */
  done: Extract<PublisherReport, { kind: 'done' }>;
  /** What the load processes say of the messages that their subscribers sent. */
  sent: Extract<LoadReport, { kind: 'sent' }>[];
  descriptorsPeak: number;
  kernelPeakBytes: number | undefined;
  /** The host's counts at the two ends of the measured phase. */
  network: { from: NetworkCount | undefined; to: NetworkCount | undefined };
  latest: (LoadSample | undefined)[];
};
/** Sequence numbers of a topic's measured events; none when first > last. */
export type Range = { first: number; last: number };
export type Drained = { ranges: Range[]; unconfirmed: EventNumber[]; drainUs: number };
export type Closed = {
  closed: LoadClosed[];
  serverCounters: Counters;
  /** A target's process has ended. */ serverGone: boolean;
  descriptorLimit: number | undefined;
};
export type Readings = Connected & Measured & Drained & Closed;

const startLimitMs = 15_000;
const replyLimitMs = 10_000;
/** A load process gives up connecting by itself, with the reason, well before this. */
const connectSlackMs = 40_000;
const doneSlackMs = 15_000;
/** Between the barrier and the first event: time for every process to learn of it. */
const leadUs = 200_000;
const drainStepUs = 50_000;
/** After the subscribers have closed, until the server has seen it. */
const settleUs = 100_000;

/** Baselines, then the subscribers on a ramp, up to the barrier. */
export async function connect(stage: Stage): Promise<Connected> {
  const { plan, variant, fleet, peers, report } = stage;
  const { scenario } = plan;
  const { server, loads, publisher } = peers;
  const nothing = { connected: 0, published: 0, delivered: 0 };
  report({ phase: 'start', ...nothing });
  const { pattern, options } = variant;
  server.send({
    kind: 'start',
    pattern,
    options,
    limits: scenario.server,
    seed: scenario.seed,
    ...(fleet.injection && { injection: fleet.injection }),
  });
  const { endpoint, readings: serverReadings = 'self' } = await server.next('listening', startLimitMs);
  const serverBaseline = await collectedServer(server);
  const loadBaselines = await Promise.all(loads.map(collectedLoad));
  const baseline = fleet.probe.classifyDescriptors(server.pid);
  const kernelBaselineBytes = fleet.probe.kernelSocketBytes();

  report({ phase: 'connect', ...nothing });
  const fromUs = fleet.clock.nowUs();
  loads.forEach((load, i) => startLoad(load, stage, plan.loads[i]!, endpoint));
  await Promise.all(loads.map((load) => load.next('ready', scenario.phases.connect + connectSlackMs)));
  const connectUs = fleet.clock.nowUs() - fromUs;
  const connected = fleet.probe.classifyDescriptors(server.pid);
  publisher.send({
    kind: 'start',
    publishUrl: endpoint.publishUrl,
    topics: plan.topics,
    plan: plan.senders?.publisher.plan ?? plan.publish,
    seed: scenario.seed,
    ...(endpoint.target && { target: endpoint.target }),
  });
  await publisher.next('ready', startLimitMs);
  const serverConnected = await collectedServer(server);
  const loadsConnected = await Promise.all(loads.map(collectedLoad));
  publisher.send({ kind: 'sample' });
  const { sample: idle } = await publisher.next('sample', replyLimitMs);

  return {
    serverReadings,
    connectUs,
    subscribers: loadsConnected.reduce((sum, report) => sum + report.connected, 0),
    processes: [
      {
        role: 'server',
        pid: server.pid,
        baseline: serverBaseline.sample,
        connected: serverConnected.sample,
        samples: [],
      },
      ...loads.map((load, i) => ({
        role: 'load' as const,
        pid: load.pid,
        baseline: loadBaselines[i]!.sample,
        connected: loadsConnected[i]!.sample,
        samples: [],
      })),
      { role: 'publisher', pid: publisher.pid, baseline: idle, connected: idle, samples: [] },
    ],
    descriptors: { baseline, connected },
    kernelBaselineBytes,
  };
}

/** Warm-up and measured phase; from here on the clock alone decides what happens when. */
export async function measure(stage: Stage, { processes, serverReadings }: Connected): Promise<Measured> {
  const {
    plan,
    fleet: { clock, probe },
    peers: { server, loads, publisher },
  } = stage;
  const window = windowFrom(clock.nowUs() + leadUs, plan);
  const timeline = createTimeline(window);
  const latest: (LoadSample | undefined)[] = loads.map(() => undefined);
  let published = 0;
  server.on('sample', (report) => {
    if (serverReadings !== 'none') timeline.server(report, serverReadings === 'outside');
    processes[0]!.samples.push(report);
  });
  loads.forEach((load, i) =>
    load.on('sample', (report) => {
      latest[i] = report;
      timeline.load(i, report);
      processes[1 + i]!.samples.push(report);
    }),
  );
  publisher.on('sample', (report) => {
    published = report.sent;
    timeline.publisher(report);
    processes.at(-1)!.samples.push(report);
  });

  let descriptorsPeak = 0;
  let kernelPeakBytes = probe.kernelSocketBytes();
  const network: Measured['network'] = { from: undefined, to: undefined };
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
  const faults = scheduleFaults(stage, window);
  faults.catch(() => {}); // awaited below
  const doneLimitMs = (window.toUs - clock.nowUs()) / 1000 + doneSlackMs;
  const done = Promise.all([
    publisher.next('done', doneLimitMs),
    Promise.all(plan.senders ? loads.map((load) => load.next('sent', doneLimitMs)) : []),
  ]);
  done.catch(() => {}); // awaited below; until then the race in runTrial raises what breaks
  for (const atUs of sampleTimesUs(window)) {
    await clock.until(atUs, stage.over);
    if (atUs >= window.fromUs) {
      network.to = probe.networkCount();
      network.from ??= network.to;
    }
    server.send({ kind: 'sample' });
    const descriptors = probe.countDescriptors(server.pid);
    const kernelSocketBytes = probe.kernelSocketBytes();
    timeline.outside({ atUs: clock.nowUs(), descriptors, kernelSocketBytes });
    descriptorsPeak = Math.max(descriptorsPeak, descriptors ?? 0);
    if (kernelSocketBytes !== undefined) kernelPeakBytes = Math.max(kernelPeakBytes ?? 0, kernelSocketBytes);
    stage.report({ ...phaseAt(window, atUs), published, ...seen(latest, timeline) });
  }
  await faults;
  const [fromPublisher, sent] = await done;
  return {
    window,
    timeline,
    done: plan.senders ? { ...fromPublisher, seq: allSeqs(plan, fromPublisher.seq, sent) } : fromPublisher,
    sent,
    descriptorsPeak,
    kernelPeakBytes,
    network,
    latest,
  };
}

function allSeqs({ publish, senders }: TrialPlan, seq: Int32Array, sent: Measured['sent']): Int32Array {
  const { publisher, loads } = senders!; // only asked where subscribers send
  return joinSeqs(publish.topic.length, [
    { index: publisher.index, seq },
    ...loads.map(({ index }, i) => ({ index, seq: sent[i]!.seq })),
  ]);
}

/** Waits until the ledger is complete or the drain limit is reached; only then is an event missed. */
export async function drain(stage: Stage, { window, done, latest, timeline }: Measured): Promise<Drained> {
  const {
    plan,
    fleet: { clock },
    peers: { loads },
  } = stage;
  const { subscribers, phases } = plan.scenario;
  const ranges = measuredRanges(plan, done.seq);
  const { unconfirmed = [] } = done;
  const inRange = unconfirmed.filter(
    ({ topic, seq }) => seq >= ranges[topic]!.first && seq <= ranges[topic]!.last,
  );
  const follow = (topic: number) => followersOf(plan.topics, topic, subscribers);
  const expected =
    ranges.reduce((sum, range, topic) => sum + lengthOf(range) * follow(topic), 0) -
    inRange.reduce((sum, { topic }) => sum + follow(topic), 0);
  const limitUs = window.toUs + phases.drain * 1000;
  for (;;) {
    for (const load of loads) load.send({ kind: 'sample' });
    await clock.until(clock.nowUs() + drainStepUs, stage.over);
    const drainUs = clock.nowUs() - window.toUs;
    const progress = seen(latest, timeline);
    stage.report({
      phase: 'drain',
      share: Math.min(1, drainUs / (phases.drain * 1000)),
      published: done.seq.length,
      ...progress,
    });
    if (progress.delivered >= expected || clock.nowUs() >= limitUs) return { ranges, unconfirmed, drainUs };
  }
}

/** Subscribers stop and close their ledgers; then the server's last count. */
export async function closeAll(stage: Stage, { ranges, unconfirmed }: Drained): Promise<Closed> {
  const {
    fleet: { clock, probe },
    peers: { server, loads },
  } = stage;
  stage.report({ phase: 'close', connected: 0, published: 0, delivered: 0 });
  const firstSeq = Int32Array.from(ranges, ({ first }) => first);
  const lastSeq = Int32Array.from(ranges, ({ last }) => last);
  for (const load of loads) load.send({ kind: 'close', firstSeq, lastSeq, unconfirmed });
  const closed = await Promise.all(loads.map((load) => load.next('closed', replyLimitMs)));
  await clock.until(clock.nowUs() + settleUs, stage.over);
  server.send({ kind: 'sample' });
  const { counters, gone = false } = await server.next('sample', replyLimitMs);
  return {
    closed,
    serverCounters: counters,
    serverGone: gone,
    descriptorLimit: probe.descriptorLimit(server.pid),
  };
}

function startLoad(
  load: LoadPeer,
  { plan, variant }: Stage,
  share: { first: number; count: number },
  endpoint: Endpoint,
): void {
  const { scenario, topics, fanoutEvery } = plan;
  const { subscribers, phases, reconnect, seed, endpoints, browser } = scenario;
  const { pattern, options } = variant;
  load.send({
    kind: 'start',
    pattern,
    options,
    endpoint,
    ...share,
    topics,
    subscribers,
    connectMs: phases.connect,
    reconnect,
    seed,
    fanoutEvery,
    endpoints,
    ...(browser && {
      browser: { tabs: browser.tabs, perS: browser.requests, free: freeConnections(browser, variant) },
    }),
  });
}

/** Connections that a browser has left beside its pages' own; undefined over HTTP/2, where all share one. */
function freeConnections({ tabs, connections }: Browser, { pattern, options }: Variant): number | undefined {
  const known = patternNamed(pattern); // a test's own pattern holds no request
  if ((known?.httpVersion?.(options) ?? 'h1') !== 'h1') return undefined;
  return connections - (known?.holdsRequest?.(options) ? tabs : 0);
}

async function collectedServer(server: ServerPeer) {
  server.send({ kind: 'collect' });
  server.send({ kind: 'sample' });
  return server.next('sample', replyLimitMs);
}

async function collectedLoad(load: LoadPeer) {
  load.send({ kind: 'collect' });
  load.send({ kind: 'sample' });
  return load.next('sample', replyLimitMs);
}

function windowFrom(warmupFromUs: number, plan: TrialPlan): Window {
  const { warmup, measure: length } = plan.scenario.phases;
  const fromUs = warmupFromUs + warmup * 1000;
  return { warmupFromUs, fromUs, toUs: fromUs + length * 1000, slotUs: plan.slotMs * 1000 };
}

function phaseAt({ warmupFromUs, fromUs, toUs }: Window, atUs: number): Pick<Progress, 'phase' | 'share'> {
  return atUs < fromUs
    ? { phase: 'warmup', share: (atUs - warmupFromUs) / (fromUs - warmupFromUs) }
    : { phase: 'measure', share: (atUs - fromUs) / (toUs - fromUs) };
}

function seen(latest: readonly (LoadSample | undefined)[], { latency }: Timeline) {
  return {
    connected: latest.reduce((sum, sample) => sum + (sample?.connected ?? 0), 0),
    delivered: latest.reduce((sum, sample) => sum + (sample?.delivered ?? 0), 0),
    p50Us: quantileUs(latency, 0.5),
    p99Us: quantileUs(latency, 0.99),
  };
}

async function scheduleFaults({ plan, fleet, peers, over }: Stage, window: Window): Promise<void> {
  const inOrder = [...plan.scenario.faults].sort((a, b) => a.atMs - b.atMs);
  for (const fault of inOrder) {
    await fleet.clock.until(window.fromUs + fault.atMs * 1000, over);
    if (fault.kind === 'disconnect') peers.server.send({ kind: 'disconnect', share: fault.share });
    else if (fault.kind === 'leave')
      for (const load of peers.loads) load.send({ kind: 'leave', share: fault.share, forMs: fault.forMs });
    else
      for (const peer of fault.who === 'load' ? peers.loads : [peers[fault.who]])
        fleet.freeze(peer.pid, fault.forMs, over);
  }
}

/** The server numbers a topic's events as they come, so its measured ones are one range. */
function measuredRanges({ publish, topicTotal, scenario }: TrialPlan, seq: Int32Array): Range[] {
  const ranges: Range[] = Array.from({ length: topicTotal }, () => ({ first: Infinity, last: 0 }));
  const warmupUs = scenario.phases.warmup * 1000;
  for (let i = 0; i < seq.length; i++) {
    if (seq[i] === 0 || publish.offsetUs[i]! < warmupUs) continue;
    const range = ranges[publish.topic[i]!]!;
    range.first = Math.min(range.first, seq[i]!);
    range.last = Math.max(range.last, seq[i]!);
  }
  return ranges.map((range) => (range.last === 0 ? { first: 1, last: 0 } : range));
}

function lengthOf({ first, last }: Range): number {
  return Math.max(0, last - first + 1);
}
