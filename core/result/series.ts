// Describes the time series of a trial: figures by slot, and what each column is.

import { z } from 'zod';

export const series = z.strictObject({
  slotUs: z.number().describe('width of a slot; slot 0 starts with the measured phase'),
  startUs: z
    .array(z.number())
    .describe('start of each slot, microseconds from the start of the measured phase; negative before it'),
  columns: z
    .record(z.string(), z.array(z.number().nullable()))
    .describe('by name, a value for each slot; null where nothing was sampled'),
});

export type Series = z.infer<typeof series>;

/** The columns of a time series with their units. Rates are per second over the slot. */
export const seriesColumns = {
  latencyP50Us: 'median latency of the events planned in the slot',
  latencyP99Us: '99th percentile of the same',
  latencyMaxUs: 'largest of the same',
  deliveries: 'deliveries of the events planned in the slot',
  connected: 'subscribers connected at the end of the slot',
  requestsPerS: 'requests the subscribers made, by any kind',
  bytesPerS: 'bytes the subscribers received',
  serverDescriptors: 'descriptors the server held',
  serverCpuShare: 'CPU of the server, 1 is one core',
  loadCpuShare: 'CPU of all load processes together',
  publisherCpuShare: 'CPU of the publisher',
  networkCpuShare: 'CPU of the network between the processes, if there is one',
  serverRssBytes: 'resident memory of the server',
  loadRssBytes: 'resident memory of all load processes',
  kernelSocketBytes: 'kernel memory of all TCP sockets of the host',
  serverLoopDelayP99Us: "99th percentile of the server's event-loop delay",
  loadLoopDelayP99Us: 'the same for the worst load process',
  networkLoopDelayP99Us: 'the same for the network between the processes',
  serverBacklog: 'deliveries that the server had accepted but not yet made',
  serverOldestMs: "age of the oldest of them, on the server's own clock",
  serverGcPauseUs: 'time the server spent collecting garbage',
} as const;
export type SeriesColumn = keyof typeof seriesColumns;
