// Says in words how much of a machine a run could use: its cores and memory, and what a container leaves of
// them.

import { formatBytes, formatNumber } from '../base/units.ts';
import type { Environment } from './result.ts';

/** Why a figure that Linux gives in /proc is missing. */
export const noProcReason = 'this system has no /proc';

/** `2 cores`, `0.3 of 2 cores by quota` */
export function coresText({ cores, quotaCores }: Pick<Environment, 'cores' | 'quotaCores'>): string {
  const all = `${formatNumber(cores)} ${cores === 1 ? 'core' : 'cores'}`;
  return quotaCores === undefined ? all : `${formatNumber(quotaCores)} of ${all} by quota`;
}

/** `23.5 GiB`, `512 MiB of 23.5 GiB by limit` */
export function memoryText({
  memoryBytes,
  memoryLimitBytes,
}: Pick<Environment, 'memoryBytes' | 'memoryLimitBytes'>): string {
  return memoryLimitBytes === undefined
    ? formatBytes(memoryBytes)
    : `${formatBytes(memoryLimitBytes)} of ${formatBytes(memoryBytes)} by limit`;
}

/** What else is unusual, to follow "machine"; nothing as a rule. */
export function placeText({ loopback, noProc }: Pick<Environment, 'loopback' | 'noProc'>): string {
  return (
    (loopback === undefined ? '' : `, over ${loopback}, as it has no 127.0.0.1`) +
    (noProc ? ', which has no /proc: descriptors and packets were not measured' : '')
  );
}
