// Runs the first phase of a trial: idle baselines of all processes, then the subscribers connect on a ramp,
// up to the barrier at which all are subscribed and the publisher has its schedule.

import type { Role } from '../../core/fault/fault.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import type { SelfSample } from '../../core/protocol/control.ts';
import { addCounters, newCounters, requestsOf } from '../../core/result/counters.ts';
import { hostMemoryBetween, type HostMemory } from '../../core/result/host-memory.ts';
import type { Completed } from '../../core/result/result.ts';
import { serverSampleUs } from '../../core/protocol/window.ts';
import { cpuBetween, type CpuReading } from '../process/cpu.ts';
import { rssOf, sumDescriptors, sumKnown, type DescriptorCount } from '../process/probe.ts';
import { placesOf, type Beside, type BesideRole } from '../cluster/beside.ts';
import { startNetwork } from '../cluster/network.ts';
import type { LoadPeer, ServerPeer } from './fleet.ts';
import { idleBytesPerS } from './idle-traffic.ts';
import { idleShares } from './idle.ts';
import { saysNothing } from './sampling.ts';
import { addressesOf, startLoad, startPublisher } from './start-load.ts';
import { startServers, type ServerReadings } from './start-servers.ts';
import { replyLimitMs, type Stage } from './stage.ts';

/** A process while it was idle, and when all subscribers were connected. */
export type ProcessStart = Readonly<{
  role: Role | BesideRole;
  /** Among those of its role, from 0. */
  index: number;
  pid: number;
  baseline: SelfSample;
  connected: SelfSample;
  /** Of what stands beside servers, where they could be read. */
  descriptors?: { baseline: number; connected: number };
}>;

export type Connected = Readonly<{
  serverReadings: ServerReadings;
  /** What stands in for a service that the servers use: the trial's times are not that service's. */
  emulator: string | undefined;
  connectUs: number;
  connecting: NonNullable<Completed['connecting']>;
  /** Subscribers that were connected when the barrier opened. */
  subscribers: number;
  /** That they held then. */
  connections: number;
  processes: readonly ProcessStart[];
  /** Servers of a cluster. */
  serverCount: number | undefined;
  /** A broker, a proxy in front of the servers, a network of ours or workers talk on the same host. */
  othersTalk: boolean;
  /** Of all servers together. */
  descriptorLimit: number | undefined;
  /** Of all servers. */
  descriptors: Readonly<Record<'baseline' | 'connected', DescriptorCount | undefined>>;
  kernelBaselineBytes: number | undefined;
  hostMemory: HostMemory | undefined;
  /** The servers have a backlog to look at. */
  serversQueue: boolean;
  /** CPU of each server before the first event, as a share of a core; undefined where it cannot be read. */
  idleShares: readonly (number | undefined)[];
  /** What the host sent a second while nothing of the trial was connected. */
  idleBytesPerS: number | undefined;
  /** The subscribers' connections use TLS. */
  encrypted: boolean;
}>;

/**
 * A load process gives up connecting by itself, with the reason, well before this: when none of its
 * subscribers has come for a while.
 */
const connectSlackMs = 40_000;
/** For each subscriber besides: many take longer than the ramp foresees, where cores are few. */
const connectEachMs = 1;

/** Baselines, then the subscribers on a ramp, up to the barrier. */
export async function connect(stage: Stage): Promise<Connected> {
  const { plan, fleet, peers, beside, report } = stage;
  const { servers, loads, publisher } = peers;
  const nothing = { connected: 0, published: 0, delivered: 0 };
  const limitMs = replyLimitMs(stage);
  report({ phase: 'start', ...nothing });
  const network = await startNetwork(stage);
  const { endpoint, readings: serverReadings, count: serverCount, emulator } = await startServers(stage);
  const serversIdle = await Promise.all(servers.map((server) => collectedServer(server, limitMs)));
  const loadsIdle = await Promise.all(loads.map((load) => collectedLoad(load, limitMs)));
  const running = servers.filter((server) => server.running);
  const serverDescriptors = () =>
    sumDescriptors(running.map(({ pid }) => fleet.probe.classifyDescriptors(pid)));
  const besideIdle = besideSamples(beside, stage);
  const baseline = serverDescriptors();
  const kernelBaselineBytes = fleet.probe.kernelSocketBytes();
  const hostBefore = fleet.probe.hostMemory();
  // Subscribers that ask on their own do so while nothing happens, too: it is part of their cost.
  const ask = patternNamed(stage.variant.pattern)?.fromHistory === true;
  const serversQueue = serversIdle.some(({ backlog }) => backlog !== undefined);
  const samplesPerS = 1e6 / serverSampleUs(plan.slotMs * 1000, serversQueue);
  const idle = () => idleShares(stage, samplesPerS);
  const [othersBytesPerS, alone] = await Promise.all([idleBytesPerS(stage), ask ? idle() : undefined]);

  report({ phase: 'connect', ...nothing });
  const cpu = () => running.map(({ pid }) => fleet.probe.cpu(pid));
  const cpuBefore = cpu();
  const fromUs = fleet.clock.nowUs();
  const addresses = addressesOf(stage);
  loads.forEach((load, i) => startLoad(load, stage, plan.loads[i]!, endpoint, addresses));
  const { subscribers, phases } = plan.scenario;
  const readyMs = phases.connect + connectSlackMs + subscribers * connectEachMs;
  await Promise.all(loads.map((load) => load.next('ready', readyMs)));
  const connectUs = fleet.clock.nowUs() - fromUs;
  // Before their descriptors are looked at: the kernel keeps an entry for each that somebody has asked for.
  const hostConnected = fleet.probe.hostMemory();
  const connecting = await connectingOf(loads, cpuBefore, cpu(), limitMs);
  const connected = serverDescriptors();
  await startPublisher(stage, endpoint);
  const networkConnected = await network?.sample();
  const serversConnected = await Promise.all(servers.map((server) => collectedServer(server, limitMs)));
  const loadsConnected = await Promise.all(loads.map((load) => collectedLoad(load, limitMs)));
  publisher.send({ kind: 'sample' });
  const { sample: publisherIdle } = await publisher.next('sample', limitMs);
  const idleConnected = alone ?? (await idle());

  return {
    serverReadings,
    emulator,
    connectUs,
    connecting,
    subscribers: loadsConnected.reduce((sum, report) => sum + report.connected, 0),
    connections: loadsConnected.reduce(
      (sum, { counters }) => sum + counters.connectionsOpened - counters.connectionsClosed,
      0,
    ),
    processes: [
      ...startsOf('server', servers, serversIdle, serversConnected),
      ...startsOf('load', loads, loadsIdle, loadsConnected),
      ...startsOf('publisher', [publisher], [{ sample: publisherIdle }], [{ sample: publisherIdle }]),
      ...besideStarts(besideIdle, besideSamples(beside, stage)),
      ...(network && networkConnected
        ? startsOf('network', [network.peer], [network.idle], [networkConnected])
        : []),
    ],
    serverCount,
    othersTalk:
      beside.all.length > 0 ||
      network !== undefined ||
      loads.some(({ worker }) => worker) ||
      plan.scenario.server.auth?.lookup?.kind === 'redis',
    // One that starts later has what the first has: both inherit it.
    descriptorLimit: sumKnown(servers.map(({ pid }) => fleet.probe.descriptorLimit(pid || servers[0].pid))),
    descriptors: { baseline, connected },
    kernelBaselineBytes,
    hostMemory: hostMemoryBetween(hostBefore, hostConnected),
    serversQueue,
    idleShares: idleConnected,
    idleBytesPerS: othersBytesPerS,
    encrypted: endpoint.url.startsWith('https:'),
  };
}

/** What it took until all subscribers were ready. */
async function connectingOf(
  loads: readonly LoadPeer[],
  before: readonly (CpuReading | undefined)[],
  after: readonly (CpuReading | undefined)[],
  limitMs: number,
): Promise<Connected['connecting']> {
  for (const load of loads) load.send({ kind: 'sample' });
  const samples = await Promise.all(loads.map((load) => load.next('sample', limitMs)));
  const counters = samples.reduce((sum, one) => addCounters(sum, one.counters), newCounters());
  const serverCpuUs = sumKnown(
    before.map((from, i) => from && after[i] && cpuBetween([from, after[i]]).ranUs),
  );
  return {
    ...(serverCpuUs !== undefined && { serverCpuUs }),
    requests: requestsOf(counters),
    bytesIn: counters.bytesOut,
    bytesOut: counters.bytesIn,
  };
}

type Sampled = { sample: SelfSample };

function startsOf(
  role: Role,
  peers: readonly { pid: number }[],
  idle: readonly Sampled[],
  connected: readonly Sampled[],
): ProcessStart[] {
  return peers.map(({ pid }, index) => ({
    role,
    index,
    pid,
    baseline: idle[index]!.sample,
    connected: connected[index]!.sample,
  }));
}

type BesideSample = {
  role: BesideRole;
  index: number;
  pid: number;
  sample: SelfSample;
  descriptors: number | undefined;
};

/** What can be read of the processes beside servers and load side. */
function besideSamples(beside: Beside, { fleet: { clock, probe } }: Stage): BesideSample[] {
  return placesOf(beside.all).flatMap(({ role, index, pid, pids }) =>
    pid === undefined
      ? []
      : [
          {
            role,
            index,
            pid,
            sample: { ...saysNothing, atUs: clock.nowUs(), rssBytes: rssOf(pids, probe) },
            descriptors: sumKnown(pids.map((one) => probe.countDescriptors(one))),
          },
        ],
  );
}

function besideStarts(idle: readonly BesideSample[], connected: readonly BesideSample[]): ProcessStart[] {
  return idle.map(({ role, index, pid, sample, descriptors: baseline }, i) => {
    const later = connected[i];
    return {
      role,
      index,
      pid,
      baseline: sample,
      connected: later?.sample ?? sample,
      ...(baseline !== undefined &&
        later?.descriptors !== undefined && {
          descriptors: { baseline, connected: later.descriptors },
        }),
    };
  });
}

async function collectedServer(server: ServerPeer, limitMs: number) {
  server.send({ kind: 'collect' });
  server.send({ kind: 'sample' });
  return server.next('sample', limitMs);
}

async function collectedLoad(load: LoadPeer, limitMs: number) {
  load.send({ kind: 'collect' });
  load.send({ kind: 'sample' });
  return load.next('sample', limitMs);
}
