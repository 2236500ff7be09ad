// Puts samples of many processes on one time axis: the series of a trial. Cumulative readings become rates
// between one sample and the next; a slot that nothing was sampled in stays null.

import type { Role } from '../../core/fault/fault.ts';
import type {
  LoadSample,
  PublisherSample,
  SelfSample,
  ServerBacklog,
  Window,
} from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import { requestsOf } from '../../core/result/counters.ts';
import { merge, newHistogram, quantileUs, samplesOf, type Histogram } from '../../core/result/histogram.ts';
import { seriesColumns, type Series, type SeriesColumn } from '../../core/result/result.ts';
import { cpuBetween, type CpuReading } from '../process/cpu.ts';

export type ServerReading = { sample: SelfSample; counters: Counters; backlog?: ServerBacklog };
export type OutsideReading = {
  atUs: number;
  descriptors: number | undefined;
  kernelSocketBytes: number | undefined;
};

export type Timeline = {
  /**
   * @param index among the servers, whose figures add up; of delays and ages the largest counts
   * @param outside read from /proc alone: event loop and collections are not in it
   */
  server(index: number, reading: ServerReading, outside: boolean): void;
  outside(reading: OutsideReading): void;
  /** @param index among the load processes, likewise */
  load(index: number, sample: LoadSample): void;
  publisher(sample: PublisherSample): void;
  network(reading: { sample: SelfSample }): void;
  /** A process' CPU, read from outside; from then on its own account of its CPU is left out. */
  cpu(role: Role, index: number, sample: { atUs: number; reading: CpuReading }): void;
  /** Latency of all measured deliveries so far. */
  readonly latency: Histogram;
  /** The same by the slot that an event was planned in, from the start of the measured phase. */
  readonly latencySlots: ReadonlyMap<number, Histogram>;
  series(): Series;
};

/** Of a slot: what each source of a column read last. */
type Row = Partial<Record<SeriesColumn, Map<string, number>>>;
const cpuColumns = {
  server: 'serverCpuShare',
  load: 'loadCpuShare',
  publisher: 'publisherCpuShare',
  network: 'networkCpuShare',
} as const satisfies Record<Role, SeriesColumn>;
/** Columns of which the largest of several processes counts; all others add up. */
const largestCounts: readonly SeriesColumn[] = [
  'serverLoopDelayP99Us',
  'loadLoopDelayP99Us',
  'serverOldestMs',
];

export function createTimeline(window: Window): Timeline {
  const rows = new Map<number, Row>();
  const latency = newHistogram();
  const bySlot = new Map<number, Histogram>();

  /**
   * The slot that a sample taken at `atUs` closes; samples are due at slot boundaries and come a little late.
   */
  const slotClosedAt = (atUs: number) => Math.round((atUs - window.fromUs) / window.slotUs) - 1;
  const put = (slot: number, source: string, values: Partial<Record<SeriesColumn, number>>) => {
    let row = rows.get(slot);
    if (!row) rows.set(slot, (row = {}));
    for (const [column, value] of Object.entries(values) as [SeriesColumn, number][])
      (row[column] ??= new Map()).set(source, value);
  };

  const rates = createRates(window.slotUs / 4);
  /** The last reading of each process' CPU, by source. */
  const lastCpu = new Map<string, { atUs: number; reading: CpuReading }>();
  /** The slot that a server's last sample closed. */
  const lastSlot = new Map<string, number>();

  return {
    latency,
    latencySlots: bySlot,
    server(index, { sample, backlog }, outside) {
      const source = `server ${index}`;
      const slot = slotClosedAt(sample.atUs);
      const grown = rates(source, sample.atUs, { cpu: sample.cpuUs, gc: sample.gcPauseUs });
      // A server is not asked in every slot: its sample is of all those since the last one.
      for (let each = Math.min(slot, (lastSlot.get(source) ?? slot - 1) + 1); each <= slot; each++)
        put(each, source, {
          serverRssBytes: sample.rssBytes,
          ...(!outside && { serverLoopDelayP99Us: sample.loopDelayP99Us }),
          ...(grown && !lastCpu.has(source) && { serverCpuShare: grown['cpu']! }),
          ...(grown && !outside && { serverGcPauseUs: Math.round(grown['gc']! * window.slotUs) }),
        });
      lastSlot.set(source, slot);
      if (backlog)
        put(slot, backlog.shared ? 'store' : source, {
          serverBacklog: backlog.depth,
          serverOldestMs: Math.round(backlog.oldestAgeMs),
        });
    },
    cpu(role, index, sample) {
      const source = role === 'publisher' ? role : `${role} ${index}`;
      const last = lastCpu.get(source);
      if (last && sample.atUs - last.atUs < window.slotUs / 4) return;
      lastCpu.set(source, sample);
      if (last)
        put(slotClosedAt(sample.atUs), source, {
          [cpuColumns[role]]: cpuBetween([last.reading, sample.reading]).ranUs / (sample.atUs - last.atUs),
        });
    },
    outside({ atUs, descriptors, kernelSocketBytes }) {
      put(slotClosedAt(atUs), 'outside', {
        ...(descriptors !== undefined && { serverDescriptors: descriptors }),
        ...(kernelSocketBytes !== undefined && { kernelSocketBytes }),
      });
    },
    load(index, report) {
      const { sample, counters, connected } = report;
      for (const { slot, histogram } of report.latency) {
        merge(latency, histogram);
        let into = bySlot.get(slot);
        if (!into) bySlot.set(slot, (into = newHistogram()));
        merge(into, histogram);
      }
      const source = `load ${index}`;
      const grown = rates(source, sample.atUs, {
        cpu: sample.cpuUs,
        requests: requestsOf(counters),
        bytes: counters.bytesIn,
      });
      if (!grown) return;
      put(slotClosedAt(sample.atUs), source, {
        connected,
        loadRssBytes: sample.rssBytes,
        loadLoopDelayP99Us: sample.loopDelayP99Us,
        ...(!lastCpu.has(source) && { loadCpuShare: grown['cpu']! }),
        requestsPerS: grown['requests']! * 1e6,
        bytesPerS: grown['bytes']! * 1e6,
      });
    },
    publisher({ sample }) {
      const grown = rates('publisher', sample.atUs, { cpu: sample.cpuUs });
      if (grown && !lastCpu.has('publisher'))
        put(slotClosedAt(sample.atUs), 'publisher', { publisherCpuShare: grown['cpu']! });
    },
    network({ sample }) {
      const source = 'network 0';
      const grown = rates(source, sample.atUs, { cpu: sample.cpuUs });
      put(slotClosedAt(sample.atUs), source, {
        networkLoopDelayP99Us: sample.loopDelayP99Us,
        ...(grown && !lastCpu.has(source) && { networkCpuShare: grown['cpu']! }),
      });
    },
    series() {
      for (const [slot, histogram] of bySlot) {
        put(slot, 'load', {
          ...knownUs('latencyP50Us', quantileUs(histogram, 0.5)),
          ...knownUs('latencyP99Us', quantileUs(histogram, 0.99)),
          ...knownUs('latencyMaxUs', quantileUs(histogram, 1)),
          deliveries: samplesOf(histogram),
        });
      }
      return seriesOf(rows, window.slotUs);
    },
  };
}

/** A latency for its column, where it is known: nobody knows by how much one lies above the range. */
function knownUs(column: SeriesColumn, us: number | undefined): Partial<Record<SeriesColumn, number>> {
  return us === undefined || us === Infinity ? {} : { [column]: us };
}

/**
 * How values that only grow did so since the same source's last sample, per microsecond.
 * @param leastUs between two samples; what comes sooner has no rate
 * @returns undefined for the first sample of a source
 */
function createRates(leastUs: number) {
  const previous = new Map<string, { atUs: number; values: Record<string, number> }>();
  return (
    source: string,
    atUs: number,
    values: Record<string, number>,
  ): Record<string, number> | undefined => {
    const last = previous.get(source);
    previous.set(source, { atUs, values });
    if (!last || atUs - last.atUs < leastUs) return undefined;
    return Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, (value - last.values[key]!) / (atUs - last.atUs)]),
    );
  };
}

/** All slots from the first to the last, each column's sources joined; null where nothing was sampled. */
function seriesOf(rows: ReadonlyMap<number, Row>, slotUs: number): Series {
  const slots = [...rows.keys()].sort((a, b) => a - b);
  const all: number[] = [];
  for (let slot = slots[0] ?? 0; slot <= (slots.at(-1) ?? -1); slot++) all.push(slot);
  const joined = (column: SeriesColumn, slot: number) => {
    const values = [...(rows.get(slot)?.[column]?.values() ?? [])];
    if (values.length === 0) return null;
    return largestCounts.includes(column)
      ? Math.max(...values)
      : values.reduce((sum, value) => sum + value, 0);
  };
  const columns = Object.keys(seriesColumns) as SeriesColumn[]; // it has no other keys
  return {
    slotUs,
    startUs: all.map((slot) => slot * slotUs),
    columns: Object.fromEntries(columns.map((name) => [name, all.map((slot) => joined(name, slot))])),
  };
}
