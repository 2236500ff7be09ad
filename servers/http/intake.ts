// Says whether a server takes subscribers at the moment, and tells new subscribers and health checks why not.

import { answerError, endWith, RequestError } from './request.ts';
import type { Routes } from './router.ts';
import { readyPath } from '../../core/http/ready.ts';

/** What keeps new subscribers out; all false in a server that takes them. */
export type Intake = {
  /** The server says goodbye for good. */
  closing: boolean;
  /** It is about to be replaced: they are to go to another one. */
  draining: boolean;
  /** What subscribers are served from is down. */
  down: boolean;
};

export function newIntake(): Intake {
  return { closing: false, draining: false, down: false };
}

/** The refused connection is not used again, so that the next attempt may come out elsewhere. */
const elsewhere = { connection: 'close' };

export const drainingText = 'the server is about to be replaced; ask another one';
export const downText = 'a dependency of the server is down';

/** @throws RequestError 503 where none are taken */
export function checkIntake(intake: Intake): void {
  const refusal = refusalOf(intake);
  if (refusal) throw refusal;
}

function refusalOf({ closing, draining, down }: Intake): RequestError | undefined {
  if (closing) return new RequestError(503, 'closing', 'the server is closing');
  if (draining) return new RequestError(503, 'draining', drainingText, elsewhere);
  if (down) return new RequestError(503, 'dependency-down', downText);
  return undefined;
}

const readyAnswer = '{"ready":true}\n';

/**
 * `GET /readyz`: 200 where subscribers are taken, 503 where they are not. No counter has the requests of load
 * balancers: neither their connections nor their refusals.
 */
export function readyRoute(intake: Intake): Routes {
  return {
    [`GET ${readyPath}`]: (_request, response) => {
      const refusal = refusalOf(intake);
      if (refusal) answerError(response, refusal.status, refusal.code, refusal.message);
      else
        endWith(
          response,
          200,
          { 'content-type': 'application/json', 'content-length': String(readyAnswer.length) },
          readyAnswer,
        );
    },
  };
}
