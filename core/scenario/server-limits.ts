// Describes what bounds a reference server, and holds the limits where no scenario sets them.

import { z } from 'zod';
import { slowPolicies } from '../policy/server/slow-subscriber.ts';
import { duration, size } from '../base/quantities.ts';

const positive = z.int().min(1);

export const server = z.strictObject({
  history: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1000)
    .describe('events kept per topic, for clients that resume'),
  historySize: size.prefault('64MiB').describe('bytes kept over all topics'),
  maxSubscribers: positive.max(1_000_000).default(100_000).describe('most subscribers; more are refused'),
  maxTopics: positive.max(1_000_000).default(200_000).describe('most topics with a history'),
  maxBody: size.prefault('1MiB').describe('largest event body'),
  slowBuffer: size.prefault('1MiB').describe('bytes a subscriber may lag behind before the policy applies'),
  slow: z.enum(slowPolicies).default('disconnect').describe('what happens when a subscriber lags further'),
  announce: duration
    .prefault('0s')
    .describe(
      'tells clients when they join to spread their return after a loss over this time; 0s: not sent',
    ),
});

export type ServerLimits = z.output<typeof server>;

/** A server's limits where no scenario sets them. */
export const defaultLimits: ServerLimits = server.parse({});
