// Tells what a command threw: a user's mistake in a sentence, anything else as a defect of ours.

import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { printable } from '../core/base/printable.ts';

/**
 * Writes the message to standard error.
 * @param complain how to write a user's mistake
 * @returns the exit code that goes with it
 */
export function reportFailure(
  error: unknown,
  complain = (text: string) => console.error(printable(text)),
): ExitCode {
  if (error instanceof UserError) {
    complain(error.message);
    return error.exitCode;
  }
  console.error(error);
  console.error('This is a defect of pushbench; please report it with the lines above.');
  return exitCodes.failed;
}
