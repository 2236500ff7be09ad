// Describes the question that `pushbench plan` answers: how many clients get how much, how late it may be,
// and what one server has.

import { z } from 'zod';

/** A server is full from this share of a core on. */
export const fullShare = 0.8;

/** One server is asked for no more subscribers, a quarter of the most that a scenario may have. */
export const mostOnOneServer = 250_000;

const figure = z.number().min(0);

export const questionSchema = z.strictObject({
  subscribers: z.int().min(1),
  eventsPerS: figure.describe('events that each subscriber gets, at random moments (Poisson)'),
  topics: z
    .enum(['shared', 'private'])
    .describe('shared: all subscribers get the same events; private: each gets its own'),
  payloadBytes: z.int().min(1),
  latencyP99Us: figure.describe('how late 99 of 100 deliveries may be at most'),
  pollEveryMs: figure.describe('how often pollers ask'),
  descriptors: z.int().min(1).describe('that a server process may have'),
  memoryBytes: figure.describe('that a server process may have'),
});

export type Question = z.infer<typeof questionSchema>;

/** What a server can run out of. */
export const limits = ['latency', 'cpu', 'descriptors', 'memory'] as const;
export type Limit = (typeof limits)[number];
