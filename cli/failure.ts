// Tells what a command threw: a user's mistake in a sentence, anything else as a defect of ours.

import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { printable } from '../core/base/printable.ts';

/** Writes the message to standard error. @returns the exit code that goes with it */
export function reportFailure(error: unknown): ExitCode {
  if (error instanceof UserError) {
    console.error(printable(error.message));
    return error.exitCode;
  }
  console.error(error);
  console.error('This is a defect of pushbench; please report it with the lines above.');
  return exitCodes.failed;
}
