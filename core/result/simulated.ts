// Describes the mark of a simulated trial: from which profile, by which version of the models, and how far
// its figures can be trusted.

import { z } from 'zod';

/** Kinds where faults cut clients off: times of coming back, connections opened or refused, what was lost. */
export const faultErrorKinds = ['recovery', 'connects', 'losses'] as const;
/** Kinds of figures that are off by amounts of their own. */
export const errorKinds = [
  'latency.p50',
  'latency.p90',
  'latency.p99',
  'requests',
  'bytes',
  'server-cpu',
  'descriptors',
  'memory',
  ...faultErrorKinds,
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/** More than this many times beyond the calibrated range, a figure may be off by more than it says. */
export const extrapolatedMost = 4;

const share = z
  .number()
  .min(0)
  .nullable()
  .default(null)
  .describe('the share by which a figure is expected to be off; null: not known');

const expectedError = z.strictObject(
  Object.fromEntries(errorKinds.map((kind) => [kind, share])) as Record<ErrorKind, typeof share>,
);

/** By how much a simulated figure of each kind is expected to be off, as a share of it. */
export type ExpectedError = z.infer<typeof expectedError>;

/** Of a result: what all its trials were computed from. */
export const simulatedRun = z.strictObject({
  profile: z
    .strictObject({
      name: z.string().describe('what reports call it'),
      createdAt: z.iso.datetime().describe('when the machine was calibrated'),
      pushbench: z.string().describe('version of pushbench that calibrated'),
    })
    .describe('what the machine costs'),
  model: z.int().min(1).describe('version of the models'),
  leftOut: z
    .array(z.strictObject({ variant: z.string().describe('its label'), reason: z.string().describe('why') }))
    .describe('variants that were not simulated'),
});

/** Of a trial. */
export const simulatedTrial = z.strictObject({
  profile: z.string().describe('name of the profile'),
  model: z.int().min(1).describe('version of the models'),
  how: z
    .enum(['exact', 'windows'])
    .describe('windows: parts of the time were computed and represent the rest'),
  clients: z.enum(['groups', 'one-by-one']).describe('groups: identical clients were computed together'),
  extrapolated: z
    .number()
    .min(1)
    .describe(
      'how far outside of the calibrated range: 1 is inside, 4 is four times the largest or smallest point',
    ),
  expectedError: expectedError.describe('by how much figures of each kind are expected to be off'),
  leavesOut: z.array(z.string()).describe('what is not in the figures, a sentence each'),
});

export type SimulatedRun = z.infer<typeof simulatedRun>;
export type SimulatedTrial = z.infer<typeof simulatedTrial>;
