// Says which figures a simulated trial lacks, and by how much each of the others is expected to be off.

import type { Metric } from './metric.ts';
import type { Evidence } from '../result/evidence.ts';
import type { Completed } from '../result/result.ts';
import type { ErrorKind } from '../result/simulated.ts';

/** Why there is no figure. */
export const notSimulated = 'not simulated';

/** What no model has: packets, and CPU of the load side. */
const unknown: readonly Evidence[] = ['wire', 'client-cpu'];

/** Whether a figure rests on what the trial, as a simulated one, says nothing of. */
export function isUnsimulated({ rests }: Pick<Metric, 'rests'>, { simulated, faults }: Completed): boolean {
  if (simulated === undefined) return false;
  // Connections are computed where something happens to them.
  return rests.some((one) => unknown.includes(one) || (one === 'connections' && faults === undefined));
}

/** Kinds that all figures of an evidence are of. */
const kindOfEvidence: Partial<Record<Evidence, ErrorKind>> = {
  requests: 'requests',
  bytes: 'bytes',
  'server-cpu': 'server-cpu',
  descriptors: 'descriptors',
  memory: 'memory',
};

/** `exact`: it follows from the scenario alone. `unchecked`: no such prediction was compared with a run. */
export type Off = number | 'exact' | 'unchecked';

/** How far off a simulated figure is expected to be, as a share of it; undefined for a measured figure. */
export function offOf({ rests, errorKind }: Metric, { simulated, faults }: Completed): Off | undefined {
  if (simulated === undefined) return undefined;
  const follows = rests.length > 0 && rests.every((one) => one === 'losses' || one === 'pace');
  if (faults === undefined && follows) return 'exact';
  const ofLosses = rests.includes('losses') ? 'losses' : undefined;
  const kind = errorKind ?? rests.flatMap((one) => kindOfEvidence[one] ?? [])[0] ?? ofLosses;
  return kind === undefined ? 'unchecked' : (simulated.expectedError[kind] ?? 'unchecked');
}
