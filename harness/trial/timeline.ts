// Samples from many processes onto one time axis: the series of a trial. Cumulative readings become rates
// between one sample and the next; a slot that nothing was sampled in stays null.

import type {
  LoadSample,
  PublisherSample,
  SelfSample,
  ServerBacklog,
  Window,
} from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import { requestsOf } from '../../core/result/counters.ts';
import { merge, newHistogram, quantileUs, type Histogram } from '../../core/result/histogram.ts';
import { seriesColumns, type Series, type SeriesColumn } from '../../core/result/result.ts';

export type ServerReading = { sample: SelfSample; counters: Counters; backlog?: ServerBacklog };
export type OutsideReading = {
  atUs: number;
  descriptors: number | undefined;
  kernelSocketBytes: number | undefined;
};

export type Timeline = {
  /** @param outside read from /proc alone: event loop and collections are not in it */
  server(reading: ServerReading, outside: boolean): void;
  outside(reading: OutsideReading): void;
  load(process: number, sample: LoadSample): void;
  publisher(sample: PublisherSample): void;
  /** Latency of all measured deliveries so far. */
  readonly latency: Histogram;
  series(): Series;
};

type Row = Partial<Record<SeriesColumn, number>>;

export function createTimeline(window: Window): Timeline {
  const rows = new Map<number, Row>();
  const latency = newHistogram();
  const bySlot = new Map<number, Histogram>();
  const previous = new Map<string, { atUs: number; values: Record<string, number> }>();

  /**
   * The slot that a sample taken at `atUs` closes; samples are due at slot boundaries and come a little late.
   */
  const slotClosedAt = (atUs: number) => Math.round((atUs - window.fromUs) / window.slotUs) - 1;
  const row = (slot: number): Row => {
    let found = rows.get(slot);
    if (!found) rows.set(slot, (found = {}));
    return found;
  };
  const add = (slot: number, column: SeriesColumn, value: number) => {
    const into = row(slot);
    into[column] = (into[column] ?? 0) + value;
  };
  const highest = (slot: number, column: SeriesColumn, value: number) => {
    const into = row(slot);
    into[column] = Math.max(into[column] ?? 0, value);
  };

  /** Growth per microsecond of each value since the same source's last sample; none for its first. */
  const rates = (
    source: string,
    atUs: number,
    values: Record<string, number>,
  ): Record<string, number> | undefined => {
    const last = previous.get(source);
    previous.set(source, { atUs, values });
    if (!last || atUs - last.atUs < window.slotUs / 4) return undefined;
    return Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, (value - last.values[key]!) / (atUs - last.atUs)]),
    );
  };

  return {
    latency,
    server({ sample, backlog }, outside) {
      const slot = slotClosedAt(sample.atUs);
      const grown = rates('server', sample.atUs, { cpu: sample.cpuUs, gc: sample.gcPauseUs });
      if (grown) {
        row(slot).serverCpuShare = grown['cpu']!;
        if (!outside) row(slot).serverGcPauseUs = Math.round(grown['gc']! * window.slotUs);
      }
      if (backlog)
        Object.assign(row(slot), {
          serverBacklog: backlog.depth,
          serverOldestMs: Math.round(backlog.oldestAgeMs),
        });
      row(slot).serverRssBytes = sample.rssBytes;
      if (!outside) row(slot).serverLoopDelayP99Us = sample.loopDelayP99Us;
    },
    outside({ atUs, descriptors, kernelSocketBytes }) {
      const into = row(slotClosedAt(atUs));
      if (descriptors !== undefined) into.serverDescriptors = descriptors;
      if (kernelSocketBytes !== undefined) into.kernelSocketBytes = kernelSocketBytes;
    },
    load(process, report) {
      const { sample, counters, connected } = report;
      for (const { slot, histogram } of report.latency) {
        merge(latency, histogram);
        let into = bySlot.get(slot);
        if (!into) bySlot.set(slot, (into = newHistogram()));
        merge(into, histogram);
      }
      const slot = slotClosedAt(sample.atUs);
      const grown = rates(`load ${process}`, sample.atUs, {
        cpu: sample.cpuUs,
        requests: requestsOf(counters),
        bytes: counters.bytesIn,
      });
      if (!grown) return;
      add(slot, 'connected', connected);
      add(slot, 'loadRssBytes', sample.rssBytes);
      highest(slot, 'loadLoopDelayP99Us', sample.loopDelayP99Us);
      add(slot, 'loadCpuShare', grown['cpu']!);
      add(slot, 'requestsPerS', grown['requests']! * 1e6);
      add(slot, 'bytesPerS', grown['bytes']! * 1e6);
    },
    publisher({ sample }) {
      const grown = rates('publisher', sample.atUs, { cpu: sample.cpuUs });
      if (grown) row(slotClosedAt(sample.atUs)).publisherCpuShare = grown['cpu']!;
    },
    series() {
      for (const [slot, histogram] of bySlot) {
        Object.assign(row(slot), {
          latencyP50Us: quantileUs(histogram, 0.5),
          latencyP99Us: quantileUs(histogram, 0.99),
          latencyMaxUs: histogram.maxUs,
          deliveries: histogram.count,
        });
      }
      const slots = [...rows.keys()].sort((a, b) => a - b);
      const all: number[] = [];
      for (let slot = slots[0] ?? 0; slot <= (slots.at(-1) ?? -1); slot++) all.push(slot);
      const names = Object.keys(seriesColumns) as SeriesColumn[];
      return {
        slotUs: window.slotUs,
        startUs: all.map((slot) => slot * window.slotUs),
        columns: Object.fromEntries(
          names.map((name) => [name, all.map((slot) => rows.get(slot)?.[name] ?? null)]),
        ),
      };
    },
  };
}
