// Adds the fake pattern: exact, scripted latencies, losses and duplicates. With it in the registry the whole
// pipe from scenario to report runs without a socket, in virtual time.

import { z } from 'zod';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { duration } from '../../core/base/quantities.ts';

export const fakeOptions = z.strictObject({
  /** Delivery `k` (counted over all subscribers) takes `latencies[k % latencies.length]`. */
  latencies: z.array(duration).min(1).default([10]),
  /** Every how many deliveries one is lost, or comes twice; 0 for never. */
  loseEvery: z.int().min(0).default(0),
  repeatEvery: z.int().min(0).default(0),
  /** How late the publisher lets each event go. */
  lag: duration.default(0),
  /** How long after a command a process does its part of a fault. */
  actsAfter: duration.default(0),
  /** CPU share that the load process claims to use. */
  loadCpu: z.number().default(0.1),
  /** What other programs of the host send. */
  othersBytesPerS: z.number().default(0),
  /** What breaks, in the middle of the measured phase. */
  fail: z.enum(['none', 'server-dies', 'load-reports-failure']).default('none'),
});

export type FakeOptions = z.infer<typeof fakeOptions>;

export const withFake: PatternRegistry = {
  ...patterns,
  fake: {
    title: 'Fake',
    how: 'by the script',
    path: '/fake',
    options: fakeOptions,
    lacks: { order: 'the script decides' },
    holdsConnection: true,
    target: { impossible: 'the script is its server' },
  },
};
