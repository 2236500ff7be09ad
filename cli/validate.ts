// Implements `pushbench validate`: checks scenario files and says what a run of them would be.

import { describeScenario } from '../core/scenario/scenario-file.ts';
import { exitCodes, UserError, type ExitCode } from '../core/base/errors.ts';
import { complain, print } from './print.ts';
import { openScenario } from './scenarios.ts';

/** @returns the exit code: every file is checked, whatever is wrong with the ones before it */
export function validateCommand(scenarios: readonly string[], overrides: readonly string[]): ExitCode {
  let exitCode: ExitCode = exitCodes.ok;
  for (const given of scenarios) {
    try {
      print(`${describeScenario(openScenario(given, overrides).scenario)}\n`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      complain(`${error.message}\n`);
      exitCode = error.exitCode;
    }
  }
  return exitCode;
}
