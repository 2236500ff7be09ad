// Simulates one trial: has the model of the variant's pattern compute it, and makes of that a trial as those
// that were measured, marked as simulated. What a simulation does not know is left out.

import { UserError } from '../core/base/errors.ts';
import { longRandom } from '../core/base/long-random.ts';
import { formatNumber, formatUs } from '../core/base/units.ts';
import { aroundFaults } from '../core/figures/around-faults.ts';
import { faultWarnings } from '../core/figures/fault-warnings.ts';
import type { Variant } from '../core/pattern/variant.ts';
import type { Schedule } from '../core/plan/schedule.ts';
import type { Profile } from '../core/profile/profile.ts';
import type { Counters } from '../core/result/counters.ts';
import { quantileUs, storeHistogram } from '../core/result/histogram.ts';
import type { Completed, Series, Trial } from '../core/result/result.ts';
import { extrapolatedMost } from '../core/result/simulated.ts';
import type { TrialWarning } from '../core/result/trial-warning.ts';
import { voidsOf } from '../core/result/voids.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import {
  modelVersion,
  type Changes,
  type ModelInput,
  type ModelRegistry,
  type PlannedEvent,
  type Simulated,
} from './model.ts';
import { fullest, processUses } from './process-uses.ts';
import { leftOutOf } from './refusals.ts';

export type SimulatedTrialInput = {
  scenario: Scenario;
  variant: Variant;
  /** Each repetition has random numbers of its own; all trials share one schedule. */
  repetition: number;
  /** As trials that are measured have it; read once, and held by few models (`ModelInput`). */
  schedule: Pick<Schedule, 'events' | 'corpus' | 'traces'>;
  profile: Profile;
} & Pick<ModelInput, 'clients' | 'oneCore' | 'clockUs' | 'computed'>;

/**
 * @param startedAt when it was computed
 * @throws UserError `not-simulated` where no model or no point of the profile is of the variant
 */
export function simulateTrial(input: SimulatedTrialInput, models: ModelRegistry, startedAt: Date): Trial {
  const { scenario, variant, repetition, schedule, profile, clients, oneCore, clockUs, computed } = input;
  const model = models[variant.pattern];
  if (!model) throw new UserError('not-simulated', `There is no model of ${variant.pattern}.`);
  const simulated = model({
    scenario,
    variant,
    profile,
    events: { [Symbol.iterator]: () => eventsOf(input) },
    traces: schedule.traces,
    random: (stream) => longRandom(scenario.seed, `${stream}:${repetition}`),
    clients,
    ...(oneCore && { oneCore }),
    ...(clockUs !== undefined && { clockUs }),
    ...(computed && { computed }),
  });
  const outcome = completedOf(input, simulated);
  const warnings = [...warningsOf(simulated), ...faultWarnings(outcome)];
  const spoiling = warnings.flatMap(({ code, level }) =>
    code === 'saturated' && level === 'invalid' ? [code] : [],
  );
  const voids = Object.fromEntries(spoiling.map((code) => [code, voidsOf('saturated', outcome)] as const));
  return {
    variant,
    repetition,
    startedAt: startedAt.toISOString(),
    warnings,
    outcome: spoiling.length === 0 ? outcome : { ...outcome, valid: false, voids },
  };
}

/** The schedule as models read it. */
function* eventsOf({ scenario, schedule: { events, corpus } }: SimulatedTrialInput): Generator<PlannedEvent> {
  const warmupUs = Math.round(scenario.phases.warmup * 1000);
  const encoder = new TextEncoder();
  const sizes = corpus.map((text) => encoder.encode(text).length);
  for (const { offsetUs, topic, body } of events)
    yield { atUs: offsetUs - warmupUs, topic, bodyBytes: body < 0 ? -body : sizes[body]! };
}

function completedOf({ scenario, profile, clients }: SimulatedTrialInput, of: Simulated): Completed {
  const { ledger, counters, latency, server, changes, latencyByAttempt, wholeTrial = counters } = of;
  const measuredUs = Math.round(scenario.phases.measure * 1000);
  return {
    status: 'completed',
    valid: true,
    simulated: {
      profile: profile.name,
      model: modelVersion,
      how: of.how,
      clients: of.clients ?? clients,
      extrapolated: Math.max(1, of.extrapolated),
      expectedError: of.expectedError,
      leavesOut: [...of.leavesOut, ...leftOutOf(scenario)],
    },
    latency: {
      endToEnd: storeHistogram(latency.endToEnd),
      firstReceiver: storeHistogram(latency.firstReceiver),
      medianReceiver: storeHistogram(latency.medianReceiver),
      lastReceiver: storeHistogram(latency.lastReceiver),
      ...(latency.publishRoundTrip && { publishRoundTrip: storeHistogram(latency.publishRoundTrip) }),
    },
    ...(latencyByAttempt && {
      latencyByAttempt: latencyByAttempt.map(({ attempt, histogram }) => ({
        attempt,
        histogram: storeHistogram(histogram),
      })),
    }),
    ledger: {
      ...ledger,
      unconfirmed: changes?.unconfirmed ?? 0,
      resumed: changes?.resumed ?? 0,
      corrupted: 0,
      unexpected: 0,
      missing: [],
    },
    counters: {
      server: mirrored(wholeTrial),
      client: wholeTrial,
      serverMeasured: mirrored(counters),
      clientMeasured: counters,
    },
    checks: [],
    subscribers: scenario.subscribers,
    connections: of.connections,
    measuredUs,
    measuredDeliveries: counters.events,
    descriptors: { baseline: 0, connected: Math.round(server.descriptors) },
    kernelSocketBytes: server.kernelSocketBytes,
    ...clusterOf(scenario, of),
    processes: processUses(of, profile, scenario),
    ...(changes && changesOf(of, changes)),
    series: seriesOf(of, measuredUs),
    problems: [],
  };
}

/** As the other side counts. */
function mirrored(counters: Counters): Counters {
  return { ...counters, bytesIn: counters.bytesOut, bytesOut: counters.bytesIn };
}

function changesOf(
  { slots, slotUs }: Simulated,
  { faults, recovery, servers }: Changes,
): Pick<Completed, 'faults' | 'recovery' | 'servers' | 'latencyAroundFaults'> {
  const bySlot = new Map(slots.map(({ latency }, i) => [i, latency]));
  return {
    faults,
    ...(recovery && { recovery }),
    ...(servers && { servers }),
    ...aroundFaults(bySlot, slotUs, { faults, ...(recovery && { recovery }) }),
  };
}

/** Latencies of a server that is full are no figures. */
function seriesOf(of: Simulated, measuredUs: number): Series {
  const { slotUs, slots, saturated, backlog, server, cluster, changes } = of;
  const servers = cluster?.servers.length ?? changes?.servers?.count ?? 1;
  // The last slot may be narrower than the others.
  const widthUs = (slot: number) => Math.max(1, Math.min(slotUs, measuredUs - slot * slotUs));
  const perS = (count: number, slot: number) => count / (widthUs(slot) / 1e6);
  const latencies = saturated ? [] : slots;
  const atUs = (quantile: number) => latencies.map(({ latency }) => quantileUs(latency, quantile) ?? null);
  return {
    slotUs,
    startUs: slots.map((_, i) => i * slotUs),
    columns: {
      ...(latencies.length > 0 && {
        latencyP50Us: atUs(0.5),
        latencyP99Us: atUs(0.99),
        latencyMaxUs: atUs(1),
      }),
      deliveries: slots.map(({ deliveries }) => deliveries),
      connected: slots.map(({ connected }) => connected),
      requestsPerS: slots.map(({ requests }, i) => perS(requests, i)),
      bytesPerS: slots.map(({ bytesOut }, i) => perS(bytesOut, i)),
      // All that they use, as where it is measured; none has more than a core.
      serverCpuShare: slots.map(({ serverCpuUs }, i) =>
        Math.min(servers, serverCpuUs / widthUs(i) + server.idleShare),
      ),
      ...(backlog && { serverBacklog: [...backlog.depth], serverOldestMs: [...backlog.oldestMs] }),
    },
  };
}

/** Nothing of a server by itself. */
function clusterOf({ servers }: Scenario, { cluster }: Simulated): Pick<Completed, 'servers'> {
  if (!cluster) return {};
  return { servers: { count: servers.count, broker: servers.broker.kind, inFront: servers.inFront.kind } };
}

function warningsOf(of: Simulated): TrialWarning[] {
  const { saturated, extrapolated, notes = [] } = of;
  const { askedShare, leftUs, name } = fullest(of);
  const digits = (value: number) => formatNumber(Number(value.toPrecision(2)));
  const growing =
    askedShare >= 1
      ? `over the measured phase ${name} would have to do ${digits(askedShare)} times what a core does: ` +
        'its queue grows'
      : `at the end of the measured phase ${name} has work for ${formatUs(leftUs)} left: its queue grows`;
  return [
    ...notes,
    ...(saturated
      ? [
          {
            code: 'saturated' as const,
            level: 'invalid' as const,
            message:
              `${growing}, so its latencies and losses are void. Take fewer subscribers or events, ` +
              'or ask how many servers it takes (npm start -- plan).',
          },
        ]
      : []),
    ...(extrapolated > extrapolatedMost
      ? [
          {
            code: 'extrapolated' as const,
            level: 'note' as const,
            message:
              `this is ${digits(extrapolated)} times outside of the profile's points, so CPU and ` +
              'latencies may be off by more than their ±. A run of the largest size that a machine of ' +
              'yours can take shows by how much (docs/simulation/simulate.md).',
          },
        ]
      : []),
  ];
}
