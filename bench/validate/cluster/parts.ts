// Lists the parts of the validation that try faults of several servers: one for each family of faults, as all
// of them together take hours.

import type { Part } from '../part.ts';
import { families, type Family } from './kinds.ts';

const all = Object.keys(families) as Family[];

/** By name; each is loaded when it runs. */
export const clusterParts: Readonly<Record<string, () => Promise<Part>>> = Object.fromEntries(
  all.map((family) => {
    const name = `cluster-${family.replaceAll(' ', '-')}`;
    return [name, async () => (await import('../cluster-faults.ts')).clusterFaults(family, name)] as const;
  }),
);
