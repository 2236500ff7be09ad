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
  /**
   * How many subscribers were cut off one second into the measured phase: the n-th was back after n times
   * 10 ms, every tenth too late.
   */
  cutOff: z.int().min(0).default(0),
  /** How late the publisher lets each event go. */
  lag: duration.default(0),
  /** How long after a command a process does its part of a fault. */
  actsAfter: duration.default(0),
  /** Whether the publisher publishes bursts; else all deliveries are the scenario's own. */
  bursts: z.boolean().default(false),
  /** CPU share that the load process claims to use. */
  loadCpu: z.number().default(0.1),
  /** What is read of the server's process from outside while events are published, and before. */
  serverCpu: z.number().default(0.1),
  serverIdleCpu: z.number().default(0.02),
  /** Share of the time in which the server would run and something else has the core. */
  serverWaits: z.number().default(0),
  /** Nothing can be read from outside. */
  unseen: z.boolean().default(false),
  /** How late the server answers when it is asked for a sample in the measured phase. */
  samplesLate: duration.default(0),
  /** How long after the measured phase began it answers what it is asked before. */
  silentFor: duration.default(0),
  /** The same as `samplesLate` of a load process. */
  loadSamplesLate: duration.default(0),
  /** What other programs of the host send. */
  othersBytesPerS: z.number().default(0),
  /** What breaks, in the middle of the measured phase. */
  fail: z.enum(['none', 'server-dies', 'load-reports-failure']).default('none'),
});

export type FakeOptions = z.infer<typeof fakeOptions>;

const fake: PatternRegistry[string] = {
  title: 'Fake',
  how: 'by the script',
  path: '/fake',
  options: fakeOptions,
  lacks: { order: 'the script decides' },
  holdsConnection: true,
  pageOpens: 'fetch',
  target: { impossible: 'the script is its server' },
};

/** `fake-hook` posts to endpoints, as a webhook does. */
export const withFake: PatternRegistry = {
  ...patterns,
  fake,
  'fake-hook': { ...fake, holdsConnection: false },
};
