// Makes figures of the processes beside servers, a broker and HAProxy, and says by how much more a figure may
// be off with them.

import { quantileUs, type Histogram } from '../../core/result/histogram.ts';
import type { ExpectedError } from '../../core/result/simulated.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { drawUs } from '../costs/distribution.ts';
import { latencyKinds } from '../costs/expected-error.ts';
import type { BesidePart, ModelInput } from '../model.ts';
import type { Cluster } from './cluster.ts';

export function besideOf(
  { profile, scenario: { subscribers } }: Pick<ModelInput, 'profile' | 'scenario'>,
  { broker, front }: Pick<Cluster, 'broker' | 'front'>,
): BesidePart[] {
  const { baseRssBytes = 0, baseDescriptors = 0 } = profile.cluster?.haproxy ?? {};
  return [
    ...(broker
      ? [
          {
            role: 'broker' as const,
            ...broker.work.finish(0),
            rssBytes: broker.of.rssBytes,
            baseRssBytes: broker.of.rssBytes,
          },
        ]
      : []),
    ...(front
      ? [
          {
            role: 'in-front' as const,
            ...front.work.finish(0),
            rssBytes: baseRssBytes + front.of.atRest.rssBytes * subscribers,
            baseRssBytes,
            descriptors: {
              baseline: Math.round(baseDescriptors),
              connected: Math.round(baseDescriptors + front.of.atRest.descriptors * subscribers),
            },
          },
        ]
      : []),
  ];
}

/**
 * The expected error with a broker or HAProxy: the error without them, plus the differences between repeated
 * trials of these, in the share of the figure that they add. Null where they were measured once only, as then
 * nobody knows how much they differ.
 */
export function addedError(
  expected: ExpectedError,
  { broker, front }: Pick<Cluster, 'broker' | 'front'>,
  latency: Histogram,
  { servers }: Pick<Scenario, 'servers'>,
): ExpectedError {
  if (!broker && !front) return expected;
  const errors = { ...expected };
  const spreadOf = (spreads: readonly (number | null)[]) =>
    spreads.reduce<number | null>(
      (most, one) => (most === null || one === null ? null : Math.max(most, one)),
      0,
    );
  const delays = spreadOf(broker?.of.points.map(({ delaySpread }) => delaySpread) ?? []);
  const passing = spreadOf(front?.of.points.map(({ addedSpread }) => addedSpread) ?? []);
  for (const [kind, share] of latencyKinds) {
    const wholeUs = quantileUs(latency, share) ?? 0;
    const own = errors[kind];
    errors[kind] =
      own === null || delays === null || passing === null || wholeUs === 0
        ? null
        : Math.hypot(
            own,
            (delays * Math.max(0, ...(broker?.of.points.map((one) => drawUs(one.delayUs, share)) ?? []))) /
              wholeUs,
            (passing * (front ? drawUs(front.cost.addedUs, share) : 0)) / wholeUs,
          );
  }
  const cpu = spreadOf(broker?.of.points.map(({ cpuSpread }) => cpuSpread) ?? []);
  const own = errors['server-cpu'];
  // What HAProxy changes in a server's CPU has not been measured.
  errors['server-cpu'] =
    own === null || cpu === null || servers.inFront.kind !== 'list' ? null : Math.hypot(own, cpu);
  return errors;
}
