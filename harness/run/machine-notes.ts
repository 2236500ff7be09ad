// Says before a run what this machine, or the container around it, takes away from it. It refuses nothing:
// that is preflight.ts.

import { formatBytes, formatNumber } from '../../core/base/units.ts';
import { coresText, noProcReason } from '../../core/result/machine-text.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { quotaAdvice } from '../trial/cores.ts';
import type { Machine } from './machine.ts';

/** What a trial is to carry in its measured phase. */
type Work = { events: number; deliveries: number; scenario: Pick<Scenario, 'phases'> };

/**
 * Measured with all patterns on a small machine, all processes of a trial together; webhooks and long polling
 * need about twice as much for a delivery, streams half of it.
 */
const idleCores = 0.1;
const deliveryCoreUs = 250;
const eventCoreUs = 300;

/** Cores that a trial needs, in about. */
export function coresNeeded({ events, deliveries, scenario: { phases } }: Work): number {
  const busyUs = events * eventCoreUs + deliveries * deliveryCoreUs;
  return idleCores + busyUs / (phases.measure * 1000);
}

/**
 * What the busiest of a scenario's trials needs.
 * @returns undefined for a search, which finds out by itself how much there is
 */
export function mostNeeded(
  { search }: Pick<Scenario, 'search'>,
  trials: readonly { plan: Work }[],
): number | undefined {
  return search.length > 0 ? undefined : Math.max(...trials.map(({ plan }) => coresNeeded(plan)));
}

/** @param needed cores, in about. @returns a sentence for each thing to know; none on a usual machine */
export function machineNotes(machine: Machine, needed?: number): string[] {
  const { loopback, memoryLimitBytes, hasProc = true } = machine;
  return [
    ...quotaNote(machine, needed),
    ...(memoryLimitBytes === undefined
      ? []
      : [`This container may use ${formatBytes(memoryLimitBytes)} of memory.`]),
    ...(loopback === '::1' ? ['This machine has no 127.0.0.1: servers and clients use ::1.'] : []),
    ...(hasProc
      ? []
      : [
          `${noProcReason[0]!.toUpperCase()}${noProcReason.slice(1)}: descriptors, packets on the wire and ` +
            "the kernel's memory for sockets are not measured.",
        ]),
  ];
}

function quotaNote(machine: Machine, needed: number | undefined): string[] {
  const { quotaCores } = machine;
  if (quotaCores === undefined) return [];
  const has = `This container may use ${coresText(machine)}`;
  if (needed === undefined) return [`${has}.`];
  const needs = `a run of this scenario needs about ${formatNumber(Number(needed.toPrecision(1)))}`;
  return [
    needed <= quotaCores
      ? `${has}; ${needs}.`
      : `${has}; ${needs}, so the kernel will stop it again and again, which makes latencies void. ` +
        quotaAdvice('use less load'),
  ];
}
