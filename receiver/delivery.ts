// Defines what an application gets of a webhook: the delivery, and problems with one. Types only.

import type { Headers } from '../core/signature/schemes.ts';
import type { Answer } from './answer.ts';

/** A verified request. `Event` is the type of its body: the scheme's type, or one of your own. */
export type Delivery<Event = unknown> = {
  /**
   * The same on every attempt. Undefined if neither the scheme nor the body has an id; then repetitions are
   * not recognised.
   */
  id: string | undefined;
  /** Names in lower case. */
  headers: Headers;
  /** The verified bytes, as they were received. */
  body: Buffer;
  /**
   * The body as an event of the scheme, read on first access.
   * @throws TypeError when the body is not such an event
   */
  readonly event: Event;
  /** Aborted when `timeoutMs` have passed: the sender has been told to try again. */
  signal: AbortSignal;
  /**
   * Chooses the answer instead of 204. A 2xx status means that the delivery was processed; with any other the
   * next attempt counts as new.
   * @throws TypeError for an invalid answer, and when it is called twice
   */
  answer(answer: Answer): void;
};

/** Why a request was not processed, or not remembered. It contains no secret and no signature. */
export type Problem = {
  /** The `error` that the sender is told; `not-remembered` if the delivery was processed nevertheless. */
  code: string;
  message: string;
  /** The status that the sender is answered. */
  status: number;
  id?: string | undefined;
  /** What `onDelivery`, the store or the clock threw. */
  error?: unknown;
};
