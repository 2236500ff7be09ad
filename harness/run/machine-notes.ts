// Says before a run what this machine, or the container around it, takes away from it. It refuses nothing:
// that is preflight.ts.

import { formatBytes, formatNumber } from '../../core/base/units.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import { coresText, noProcReason } from '../../core/result/machine-text.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { quotaAdvice } from '../trial/cores.ts';
import type { Machine } from './machine.ts';

/** What a trial is to carry in its measured phase. */
type Work = { events: number; deliveries: number; scenario: Pick<Scenario, 'phases'> };

/** Measured on a small machine at 1,000 deliveries a second, all processes of a trial together. */
const idleCores = 0.1;
const eventCoreUs = 300;
const heldDeliveryCoreUs = 150;
/** A delivery that is a request of the server's own: a webhook. */
const requestDeliveryCoreUs = 450;

/** Cores that a trial needs, in about. @param held subscribers hold a connection */
export function coresNeeded({ events, deliveries, scenario: { phases } }: Work, held: boolean): number {
  const deliveryCoreUs = held ? heldDeliveryCoreUs : requestDeliveryCoreUs;
  const busyUs = events * eventCoreUs + deliveries * deliveryCoreUs;
  return idleCores + busyUs / (phases.measure * 1000);
}

/**
 * What the busiest of a scenario's trials needs.
 * @returns undefined for a search, which finds out by itself how much there is
 */
export function mostNeeded(
  { search, variants }: Pick<Scenario, 'search'> & { variants: readonly { pattern: string }[] },
  trials: readonly { plan: Work }[],
): number | undefined {
  if (search.length > 0) return undefined;
  const held = variants.every(({ pattern }) => patternNamed(pattern)?.holdsConnection !== false);
  return Math.max(...trials.map(({ plan }) => coresNeeded(plan, held)));
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
