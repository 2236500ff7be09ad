// Defines the parts of a fault in a scenario that several faults have.

import { z } from 'zod';
import { duration, share } from '../base/quantities.ts';
import type { Which } from './fault.ts';

export const at = duration.describe('when, counted from the start of the measured phase');

/** More server processes a trial cannot have. */
export const mostServers = 64;

/** Of one server, from 1. */
export const serverNumber = z.int().min(1).max(mostServers);

/** `2`, `all`, or `50%` of the servers that run. */
export const serversRunning = z.union([
  serverNumber,
  z.literal('all'),
  share.transform((value) => ({ share: value })),
]);

/** `2`, or `all` that do not run. */
export const serversGone = z.union([serverNumber, z.literal('all')]);

/** `server 2`, `all servers`, `50 % of the servers`. @param share as people read it */
export function whichText(which: Which, share: (value: number) => string): string {
  if (which === 'all') return 'all servers';
  return typeof which === 'number' ? `server ${which}` : `${share(which.share)} of the servers`;
}
