// Says why a child process cannot go on, in the words of its report to the harness.

import { messageOf, UserError } from '../base/errors.ts';
import type { Failed } from './control.ts';

/**
 * The report of a child that ends with an error. A user's mistake and an error of the operating system
 * (EADDRINUSE, EMFILE) keep their code and their sentence; all else is the code `defect`, with its stack.
 */
export function failedBy(error: unknown): Failed {
  const code = codeOf(error);
  if (code !== undefined) return { kind: 'failed', code, message: messageOf(error) };
  const stack = error instanceof Error ? error.stack : undefined;
  return { kind: 'failed', code: 'defect', message: stack ?? messageOf(error) };
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof UserError) return error.code;
  // Node's own errors have a code too (ERR_INVALID_URL); those of the system name the call that failed.
  const isSystems = error instanceof Error && 'syscall' in error && 'code' in error;
  return isSystems && typeof error.code === 'string' ? error.code : undefined;
}
