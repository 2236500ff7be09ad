// Defines what an application is given of a webhook: the delivery, and what went wrong with one. Types alone.

import type { Headers } from '../core/signature/schemes.ts';
import type { Answer } from './answer.ts';

/** A request that was verified. `Event` is what its body is read as: by its scheme, or a type of your own. */
export type Delivery<Event = unknown> = {
  /**
   * The same on every attempt. Undefined when the scheme has none and the body neither; such
   * deliveries are not deduplicated.
   */
  id: string | undefined;
  /** Names in lower case. */
  headers: Headers;
  /** As it stood on the wire, and verified. */
  body: Buffer;
  /**
   * The body as an event of the scheme, read when it is first asked for.
   * @throws TypeError when the body is none
   */
  readonly event: Event;
  /** Aborted when `timeoutMs` have passed: the sender has been told to try again. */
  signal: AbortSignal;
  /**
   * Says how to answer, in place of 204. A status of the 200s says that the delivery was acted upon; with any
   * other the next attempt is new.
   * @throws TypeError for what is no answer, and the second time
   */
  answer(answer: Answer): void;
};

/** Why a request was not acted upon, or not remembered. It holds no secret and no signature. */
export type Problem = {
  /** As the sender is told in `error`; `not-remembered` where it was acted upon all the same. */
  code: string;
  message: string;
  /** What the sender is answered. */
  status: number;
  id?: string | undefined;
  /** What `onDelivery`, the store or the clock threw. */
  error?: unknown;
};
