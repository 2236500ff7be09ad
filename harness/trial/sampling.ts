// Gathers the samples that the processes take of themselves from the warm-up on, until the trial closes: on
// the trial's time axis, and by process.

import type { Role } from '../../core/fault/fault.ts';
import type { LoadSample, SelfSample, Window } from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import { quantileUs, type Histogram } from '../../core/result/histogram.ts';
import type { Series } from '../../core/result/result.ts';
import type { BesideRole } from '../cluster/beside.ts';
import type { CpuReading } from '../process/cpu.ts';
import type { ServerReadings } from './start-servers.ts';
import type { Peers, Progress } from './stage.ts';
import { createTimeline, type OutsideReading } from './timeline.ts';

/** `subscribers`: how many are connected, for a server. */
type ProcessSample = Readonly<{ sample: SelfSample; counters?: Counters; subscribers?: number }>;
/** A process' CPU, read from outside at a moment of the harness's clock. */
export type CpuSample = Readonly<{ atUs: number; reading: CpuReading }>;
/** One process' own samples and the readings from outside, through warm-up, measured phase and drain. */
export type ProcessSamples = Readonly<{
  role: Role | BesideRole;
  index: number;
  samples: readonly ProcessSample[];
  cpu: readonly CpuSample[];
}>;

export type Sampled = Readonly<{
  samples: readonly ProcessSamples[];
  /** Of all measured deliveries. */
  latency: Histogram;
  /** The same by the slot of the planned time. */
  latencySlots: ReadonlyMap<number, Histogram>;
  series: Series;
}>;

/** What a view shows of the samples that have come. */
export type Seen = Pick<Progress, 'connected' | 'published' | 'delivered' | 'p50Us' | 'slowestUs'>;

export type Sampling = {
  seen(): Seen;
  /** Subscribers that were cut off and are still trying to come back. */
  coming(): number;
  /** Adds a reading from outside. */
  outside(reading: OutsideReading): void;
  /** Adds a reading of a process' CPU. */
  cpu(role: Role | BesideRole, index: number, sample: CpuSample): void;
  /** Adds a reading of a broker, a proxy or another process beside servers and load side. */
  beside(role: BesideRole, index: number, read: { atUs: number; rssBytes: number }): void;
  /** All that came. Call it once, when nobody samples any more. */
  close(): Sampled;
};

/** A process that is not ours says nothing of itself. */
export const saysNothing: Omit<SelfSample, 'atUs' | 'rssBytes'> = {
  cpuUs: 0,
  heapUsedBytes: 0,
  loopDelayP99Us: 0,
  loopDelayMaxUs: 0,
  gcCount: 0,
  gcPauseUs: 0,
};

/** Takes every sample that the processes report from here on and nobody waits for. */
export function startSampling(
  { servers, loads, publisher, network }: Peers,
  window: Window,
  serverReadings: ServerReadings,
): Sampling {
  const timeline = createTimeline(window);
  const samples: { role: Role | BesideRole; index: number; samples: ProcessSample[]; cpu: CpuSample[] }[] =
    [];
  const latest: (LoadSample | undefined)[] = loads.map(() => undefined);
  let published = 0;
  const listFor = (role: Role | BesideRole, index: number) => {
    const own: ProcessSample[] = [];
    samples.push({ role, index, samples: own, cpu: [] });
    return own;
  };
  const of = (role: Role | BesideRole, index: number) =>
    samples.find((one) => one.role === role && one.index === index);

  servers.forEach((server, index) => {
    const own = listFor('server', index);
    server.on('sample', (report) => {
      if (serverReadings !== 'none') timeline.server(index, report, serverReadings === 'outside');
      own.push(report);
    });
  });
  loads.forEach((load, index) => {
    const own = listFor('load', index);
    load.on('sample', (report) => {
      latest[index] = report;
      timeline.load(index, report);
      own.push(report);
    });
  });
  const ofPublisher = listFor('publisher', 0);
  publisher.on('sample', (report) => {
    published = report.sent;
    timeline.publisher(report);
    ofPublisher.push(report);
  });
  if (network) {
    const own = listFor('network', 0);
    network.on('sample', (report) => {
      timeline.network(report);
      own.push({ sample: report.sample });
    });
  }

  return {
    seen: () => ({
      connected: latest.reduce((sum, sample) => sum + (sample?.connected ?? 0), 0),
      published,
      delivered: latest.reduce((sum, sample) => sum + (sample?.delivered ?? 0), 0),
      p50Us: quantileUs(timeline.latency, 0.5),
      slowestUs: quantileUs(timeline.latency, 1),
    }),
    coming: () => latest.reduce((sum, sample) => sum + (sample?.coming ?? 0), 0),
    outside: (reading) => timeline.outside(reading),
    cpu(role, index, sample) {
      if (role === 'broker' || role === 'in-front') {
        if (!of(role, index)) listFor(role, index);
      } else timeline.cpu(role, index, sample);
      of(role, index)?.cpu.push(sample);
    },
    beside(role, index, { atUs, rssBytes }) {
      const own = of(role, index)?.samples ?? listFor(role, index);
      own.push({ sample: { ...saysNothing, atUs, rssBytes } });
    },
    close: () => ({
      samples: samples.map((one) => ({ ...one, samples: [...one.samples], cpu: [...one.cpu] })),
      latency: timeline.latency,
      latencySlots: timeline.latencySlots,
      series: timeline.series(),
    }),
  };
}
