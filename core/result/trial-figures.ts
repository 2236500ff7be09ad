// Describes the figures of a trial by the names of their metrics, as results hold them for other programs.
// Our own readers compute figures from the trial and never read these.

import { z } from 'zod';

const figure = z.strictObject({
  value: z.number().describe("in the metric's unit"),
  unit: z.enum(['us', 'bytes', 'share', 'count', 'per-s']).describe('a share is 0 to 1'),
  low: z.number().optional().describe("lower end of a percentile's 95 % interval within the trial"),
  high: z.number().optional().describe('upper end of it'),
  expectedError: z
    .number()
    .optional()
    .describe('for a simulation: the share by which it is expected to be off'),
  ofWhatCame: z
    .literal(true)
    .optional()
    .describe('some deliveries were lost, so this covers only those that arrived'),
});

export const trialFigures = z.strictObject({
  variant: z.string().describe('its label'),
  repetition: z.int().min(1).describe('1 for the first trial of the variant'),
  failed: z.string().optional().describe('why the trial failed; it has no figures then'),
  figures: z.record(z.string(), figure).describe('by the name of the metric'),
  none: z.record(z.string(), z.string()).describe('why a metric has no figure, if the reason is known'),
});

export type TrialFigure = z.infer<typeof figure>;
export type TrialFigures = z.infer<typeof trialFigures>;
