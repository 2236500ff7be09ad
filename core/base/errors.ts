// Defines the mistakes that a user can fix: a code for programs, a sentence for people. Anything else that
// is thrown is a defect of ours and keeps its stack trace.

/** Exit codes of the command line, one meaning each. */
export const exitCodes = {
  ok: 0,
  expectation: 1,
  usage: 2,
  failed: 3,
  invalid: 4,
  slower: 5,
  inconclusive: 6,
  interrupted: 130,
} as const;

export type ExitName = keyof typeof exitCodes;

/** What each says to a script, whichever command ends with it (cli/exit-table.ts says it of each). */
export const exitMeanings: Readonly<Record<ExitName, string>> = {
  ok: 'as expected',
  expectation: 'an expectation failed',
  usage: 'the scenario, a file or the arguments are wrong',
  failed: 'the work itself failed: a process died, a port was taken, the disk was full',
  invalid: 'something that was asked for was not judged, or a run was cut short',
  slower: 'the candidate of a comparison is worse than its baseline',
  inconclusive: 'something in a comparison was not judged, or, with --fail-on inconclusive, is undecided',
  interrupted: 'ended by Ctrl-C or SIGTERM; what was measured until then is kept',
};

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * A problem that a user can fix. `message` says what was wrong, where, and what to do next.
 * The command line prints the message alone, without a stack trace, and exits with `exitCode`.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, exitCode: ExitCode = exitCodes.usage) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** Why work was aborted that a signal ended. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
