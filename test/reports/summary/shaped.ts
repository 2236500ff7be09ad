// Makes results of variants that have the figures a test names, and nothing else that sets them apart.

import { newCounters } from '../../../core/result/counters.ts';
import type { Evidence } from '../../../core/result/evidence.ts';
import type { Completed, Result, Trial } from '../../../core/result/result.ts';
import { completed, stored, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

export type Shape = {
  /** Of a hundred deliveries, 98 take this long. */
  p50Us?: number;
  /** And two this long; left out, there are too few events beyond it for a figure. */
  p99Us?: number;
  /** For each delivery. */
  requests?: number;
  ledger?: Partial<Completed['ledger']>;
  /** Answers of the receiver that were lost, so that the server delivered again. */
  answersLost?: number;
  backlog?: number[];
  roundTripUs?: number;
  /** Codes of warnings of level `invalid`, and what each makes void. */
  voids?: Record<string, Evidence[]>;
  delivered?: boolean;
};

const [one, base] = [completed(), fixtureResult()];

export function shaped(label: string, shape: Shape = {}, repetition = 1): Trial {
  const { p50Us = 10_000, p99Us, requests = 0, ledger, answersLost = 0, backlog = [], voids } = shape;
  const { roundTripUs = 1000, delivered = true } = shape;
  const times = Array.from({ length: 100 }, (_, i) => (i < 98 ? p50Us : (p99Us ?? p50Us)));
  const at = (quantile: number, us: number) => ({ quantile, lowUs: us, highUs: us, beyond: 10 });
  const sure = [at(0.5, p50Us), ...(p99Us === undefined ? [] : [at(0.99, p99Us)])];
  const outcome: Completed = {
    ...one,
    latency: {
      ...one.latency,
      endToEnd: delivered ? stored(...times) : stored(),
      publishRoundTrip: stored(roundTripUs),
    },
    precision: {
      mostReceivers: 4,
      endToEnd: { shownUpTo: 0.5, at: sure },
      acceptToReceipt: { shownUpTo: 0, at: [] },
    },
    ledger: { ...one.ledger, missed: 0, duplicated: 0, reordered: 0, ...ledger },
    counters: {
      ...one.counters,
      client: { ...newCounters(), answersLost },
      clientMeasured: { ...newCounters(), fullPolls: requests * one.measuredDeliveries },
    },
    latencyByAttempt: [],
    series: { slotUs: 1e6, startUs: [], columns: { serverBacklog: backlog } },
    ...(voids && { valid: false, voids }),
  };
  return {
    ...trialOf(label, outcome, repetition),
    warnings: Object.keys(voids ?? {}).map((code) => ({ code, level: 'invalid', message: code })),
  };
}

export function failed(label: string, repetition = 1): Trial {
  return trialOf(label, { status: 'failed', valid: false, code: 'x', message: 'it broke' }, repetition);
}

/** A result of 100 subscribers and 10 events a second, with these trials. */
export function resultOf(trials: readonly Trial[], scenario: Partial<Result['scenario']> = {}): Result {
  return {
    ...base,
    scenario: { ...base.scenario, ...scenario },
    trials: [...trials],
    expectations: [],
  };
}
