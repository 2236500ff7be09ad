// Reads how many files a process may have open, from Linux's /proc.

import { readFileSync } from 'node:fs';

/**
 * The soft limit on open files of a process (`self` for this one); undefined where there is no /proc or no
 * such process.
 */
export function descriptorLimit(pid: number | 'self'): number | undefined {
  try {
    return parseDescriptorLimit(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param limits as /proc/PID/limits has them; undefined where there is no such file */
export function parseDescriptorLimit(limits: string | undefined): number | undefined {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '');
  if (!match) return undefined;
  return match[1] === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(match[1]);
}
