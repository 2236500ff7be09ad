// Decides whether a trial can be part of a profile. Pure.

import { lackOfTime } from '../../core/metrics/processes.ts';
import type { Evidence } from '../../core/result/evidence.ts';
import type { Trial } from '../../core/result/result.ts';
import { voidedBy } from '../../core/result/voids.ts';

/** What a point is made of. */
const needed: readonly Evidence[] = ['latency', 'losses', 'requests', 'bytes', 'server-cpu'];

/** @returns why the trial's figures are not what this load costs, or undefined where they are */
export function problemWith({ outcome, warnings }: Pick<Trial, 'outcome' | 'warnings'>): string | undefined {
  if (outcome.status === 'failed') return outcome.message;
  const codes = voidedBy(needed, outcome);
  const [code] = codes;
  if (code !== undefined) return warnings.find((one) => one.code === code)?.message ?? code;
  const lack = lackOfTime(outcome);
  if (lack === 'saturated') return 'The server had no time left, so its latencies are those of a queue.';
  if (lack === 'starved') return 'The server was kept from its core by other programs.';
  if (outcome.latency.endToEnd.count === 0) return 'Nothing was delivered.';
  if (outcome.descriptors === null || outcome.kernelSocketBytes === null)
    return 'Descriptors and kernel memory could not be read from /proc.';
  return undefined;
}
