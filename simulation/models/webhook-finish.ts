// Makes the outcome of a simulation of webhooks: what was tallied, with what only this pattern has.

import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatNumber } from '../../core/base/units.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import { pendingMost } from '../../core/policy/webhook/room.ts';
import { quantileUs, samplesOf } from '../../core/result/histogram.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import type { ExpectedError } from '../../core/result/simulated.ts';
import { errorsOfPart, expectedErrorAt } from '../costs/expected-error.ts';
import type { ModelInput, Simulated } from '../model.ts';
import { byItself, outcomeOf } from './outcome.ts';
import type { Prepared } from './prepare.ts';
import type { Tally } from './tally.ts';
import type { Acceptance } from './webhook-acceptance.ts';
import type { Account } from './webhook-account.ts';
import type { Settling } from '../webhooks/settling.ts';

export type Over = {
  tally: Tally;
  account: Account;
  settling: Settling;
  acceptance: Acceptance;
  /** Deliveries that were due at the end of the measured phase and had not been attempted. */
  due: number;
};

export function finish(input: ModelInput, prepared: Prepared, over: Over): Simulated {
  const { tally, account, settling, acceptance, due } = over;
  const { measured, measureUs, subscribers } = prepared;
  const options = input.variant.options as PatternOptions<'webhook'>; // by its schema
  const { duplicated, reordered, backlog, roundTrips, wholeTrial, byAttempt } = account.finish();
  const extrapolated = acceptance.extrapolated();
  const place = {
    receivers: prepared.receivers,
    perS: prepared.perS,
    payloadBytes: measured.points[0]!.payloadBytes,
  };
  const { atRest } = measured;
  const outcome = outcomeOf(input, prepared, tally, byItself(subscribers), {
    idleShares: [acceptance.idleShare],
    extrapolated,
    expectedError: expectedErrorAt(measured.points, place, extrapolated),
    // Endpoints hold no connections: what there is at rest is left from registering them, over one at least.
    descriptors: Math.max(1, atRest.descriptors * Math.min(subscribers, atRest.subscribers)),
    connections: Math.max(1, atRest.connections * Math.min(subscribers, atRest.subscribers)),
    part: 'whole',
    leavesOut: leftOut(options),
  });
  // What is due waits for the server; what waits for its time does not.
  const askedShare = (outcome.server.cpuUs + due * acceptance.cpuUs()) / measureUs;
  return {
    ...outcome,
    latency: { ...outcome.latency, ...(samplesOf(roundTrips) > 0 && { publishRoundTrip: roundTrips }) },
    latencyByAttempt: byAttempt,
    ledger: { ...outcome.ledger, duplicated, reordered },
    wholeTrial,
    backlog,
    server: { ...outcome.server, askedShare },
    saturated: askedShare >= 1,
    clients: 'one-by-one',
    // Counts of webhooks were not compared with runs.
    expectedError: errorsOf(outcome, byAttempt),
    notes: notesOf(settling.counts()),
  };
}

/** What a delivery waits for by design is known: what the first attempts take may be off. */
function errorsOf(
  { latency, expectedError }: Pick<Simulated, 'latency' | 'expectedError'>,
  byAttempt: NonNullable<Simulated['latencyByAttempt']>,
): ExpectedError {
  const first = byAttempt.find(({ attempt }) => attempt === 1)?.histogram;
  const firstUs = (quantile: number) => first && quantileUs(first, quantile);
  const errors = errorsOfPart(expectedError, latency.endToEnd, firstUs);
  return { ...errors, requests: null, bytes: null, descriptors: null };
}

function leftOut({ delivery, fifo, store }: PatternOptions<'webhook'>): string[] {
  return [
    "the answer time of endpoints: unless the scenario sets it, it is the server's CPU time for a delivery",
    'connections that are opened again after one was cut or timed out',
    ...(fifo && delivery === 'queue'
      ? [`what the store (${store}) takes between the deliveries of an endpoint that is sent one by one`]
      : []),
  ];
}

function notesOf(counts: ReturnType<Settling['counts']>): TrialWarning[] {
  const deliveries = (count: number) => counted(count, 'delivery', 'deliveries');
  const limits = `server.slowBuffer, or ${formatNumber(pendingMost)} over all endpoints`;
  const ends = [
    counts['given-up'] > 0 ? `${deliveries(counts['given-up'])} given up after the last attempt` : '',
    counts.cancelled > 0 ? `${deliveries(counts.cancelled)} cancelled because an endpoint was disabled` : '',
    counts.dropped > 0 ? `${deliveries(counts.dropped)} dropped because a queue was full (${limits})` : '',
    counts.pending > 0 ? `${deliveries(counts.pending)} still pending when the trial ended` : '',
  ].filter((text) => text !== '');
  return [
    ...(ends.length > 0
      ? [
          {
            code: 'not-delivered' as const,
            level: 'note' as const,
            message: `${listed(ends)}; the warm-up's are among them.`,
          },
        ]
      : []),
    ...(counts.opened > 0
      ? [
          {
            code: 'breakers-opened' as const,
            level: 'note' as const,
            message: `the breakers of endpoints opened ${counted(counts.opened, 'time')}.`,
          },
        ]
      : []),
  ];
}
