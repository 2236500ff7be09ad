// Defines the mistakes that a user can fix: a code for programs, a sentence for people. Anything else that
// is thrown is a defect of ours and keeps its stack trace.

/** Exit codes of the command line, one meaning each. */
export const exitCodes = {
  /** Everything ran and every expectation held. */
  ok: 0,
  /** An expectation failed. */
  expectation: 1,
  /** The scenario or the arguments are wrong. */
  usage: 2,
  /** The run itself failed: a process died, a port was taken, the disk was full. */
  failed: 3,
  /**
   * The run finished, and something that was asked for was not judged: its evidence is void, or there is
   * none. Or a gate was given a run that did not finish.
   */
  invalid: 4,
  /** A comparison shows that the candidate is worse than its baseline. */
  slower: 5,
  /**
   * A comparison did not judge something that it was asked to judge; or it could not be decided, and was told
   * to fail then.
   */
  inconclusive: 6,
  /** Ctrl-C or SIGTERM, by the shell's convention. What was measured until then is kept. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * A problem a user can mend. `message` says what was wrong, where, and what to do next.
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
