// Says what an error of the database means: in an answer to the client, and in a line on standard error for
// those who run the server. The answer names no file: it goes to publishers on other machines too.

import { messageOf } from '../../../core/base/errors.ts';
import { RequestError } from '../../http/request.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html); the extended ones have more bits above. */
export const primaryOf = (errcode: number) => errcode & 0xff;
const codes = { corrupt: 11, full: 13, notADatabase: 26 } as const;

/** The same trouble is told again when it comes back after this long. */
const tellAgainAfterMs = 60_000;

type Trouble = { code: string; answer: string; advice: string };

const troubles = {
  full: {
    code: 'store-full',
    answer:
      'the disk that deliveries are stored on is full; nothing of this request was stored. Try again later',
    advice:
      'the disk is full, so what needs room is refused with 503. ' +
      'Free some space; the server goes on by itself',
  },
  damaged: {
    code: 'store-damaged',
    answer: 'the database that deliveries are stored in is damaged; nothing of this request was stored',
    advice:
      'the file is damaged, so what touches the damaged part is refused with 503. Stop the server and ' +
      'restore a copy, or save what can be read with: sqlite3 FILE .recover',
  },
  failed: {
    code: 'store-failed',
    answer: 'the store of the deliveries failed; nothing of this request was stored. Try again later',
    advice:
      'it could not be read or written, so requests are refused with 503. ' +
      'The server goes on by itself when it can again',
  },
} as const satisfies Record<string, Trouble>;

/** Whether the database threw it. */
export function isSqliteError(error: unknown): error is Error & { errcode: number } {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

export function troubleOf(error: unknown): keyof typeof troubles {
  const code = isSqliteError(error) ? primaryOf(error.errcode) : undefined;
  return code === codes.full
    ? 'full'
    : code === codes.corrupt || code === codes.notADatabase
      ? 'damaged'
      : 'failed';
}

/** The answer where the store failed so late that it may have stored the request all the same. */
export function unknownOutcome(): RequestError {
  return new RequestError(
    503,
    'unknown',
    'the store failed before it could say whether it has this: it may or may not have been stored; ' +
      'repeat it with the same Idempotency-Key',
  );
}

/**
 * @param path of the database
 * @returns turns an error into the answer to a request, and tells of it on standard
 *   error, once while it lasts
 */
export function createRefusals(
  path: string,
  tell: (line: string) => void = console.error,
): (error: unknown) => RequestError {
  const lastMs = new Map<string, number>();
  return (error) => {
    if (error instanceof RequestError) return error;
    const trouble = troubleOf(error);
    const { code, answer, advice } = troubles[trouble];
    const nowMs = performance.now();
    const isNew = nowMs - (lastMs.get(trouble) ?? -Infinity) > tellAgainAfterMs;
    lastMs.set(trouble, nowMs);
    if (isNew) tell(`The webhook store ${path}: ${messageOf(error)}: ${advice.replace('FILE', path)}.`);
    return new RequestError(503, code, answer);
  };
}
