// Says what is wrong with Redis: on standard error to those who run the server, and to clients in the answers
// to their requests.

import { messageOf } from '../../../core/base/errors.ts';
import { RequestError } from '../../http/request.ts';
import { createComplaints } from './complaints.ts';
import { refusalOf } from './link.ts';

export type Trouble = {
  /** Redis answers again, or no longer does. */
  turned(ready: boolean, reason: string): void;
  /** What went wrong that nobody waits for. That Redis is away, `turned` says. */
  report(error: unknown): void;
  /** The same of something else than Redis: the sentence names it. */
  say(error: unknown): void;
  /** The store was found to be another one than this server began with. @returns what to answer */
  emptied(): RequestError;
  isEmptied(): boolean;
  /** @throws RequestError 503 when the store was emptied */
  check(): void;
  /** Reads for a client's request. @throws RequestError 503 */
  reading<T>(read: () => Promise<T>): Promise<T>;
  /** The same for changes: a change may have been made although its answer was lost. */
  changing<T>(change: () => Promise<T>): Promise<T>;
  close(): void;
};

/** @param count is called for each sentence that is said */
export function createTrouble(host: string, count: () => void): Trouble {
  const complaints = createComplaints(count);
  let isReady = true;
  let isEmptied = false;

  function emptied(): RequestError {
    const what = 'was emptied under this server, its endpoints and deliveries are gone';
    const advice = 'start the server again and register the endpoints again';
    const sentence = `the store in Redis at ${host} ${what}: ${advice}`;
    if (!isEmptied) complaints.say(`${sentence}; until then it answers 503`);
    isEmptied = true;
    return new RequestError(503, 'store-emptied', sentence);
  }

  function check(): void {
    if (isEmptied) throw emptied();
  }

  async function asking<T>(work: () => Promise<T>, isChange: boolean): Promise<T> {
    try {
      check();
      return await work();
    } catch (error) {
      throw refusalOf(error, host, isChange);
    }
  }

  return {
    turned(ready, reason) {
      isReady = ready;
      complaints.say(
        ready
          ? `Redis at ${host} answers again`
          : `Redis at ${host} does not answer (${reason}); publishing and the API answer 503 until it does`,
      );
    },
    report(error) {
      if (isReady && !isEmptied) complaints.sayOnce(`Redis at ${host}: ${messageOf(error)}`);
    },
    say: (error) => complaints.sayOnce(messageOf(error)),
    emptied,
    isEmptied: () => isEmptied,
    check,
    reading: (read) => asking(read, false),
    changing: (change) => asking(change, true),
    close: complaints.close,
  };
}
