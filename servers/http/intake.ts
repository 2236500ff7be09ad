// Says whether a server takes subscribers at the moment, and answers why not.

import { RequestError } from './request.ts';

/** What keeps new subscribers out; all false in a server that takes them. */
export type Intake = {
  /** The server says goodbye for good. */
  closing: boolean;
  /** It is about to be exchanged: they are to go to another one. */
  draining: boolean;
  /** What subscribers are served from is down. */
  down: boolean;
};

export function newIntake(): Intake {
  return { closing: false, draining: false, down: false };
}

/** The refused connection is not used again, so that the next attempt may come out elsewhere. */
const elsewhere = { connection: 'close' };

export const drainingText = 'the server is about to be exchanged; ask another one';
export const downText = 'a dependency of the server is down';

/** @throws RequestError 503 where none are taken */
export function checkIntake({ closing, draining, down }: Intake): void {
  if (closing) throw new RequestError(503, 'closing', 'the server is closing');
  if (draining) throw new RequestError(503, 'draining', drainingText, elsewhere);
  if (down) throw new RequestError(503, 'dependency-down', downText);
}
