// Holds the publisher's connection to one of several servers: sends events, gives back those that were not
// answered when it ends, when the server sends them away, or when it says nothing for too long, and connects
// again. Which event goes to which server is over-servers.ts.

import { later, nowUs } from '../../core/base/clock.ts';
import { newQueue } from '../../core/base/queue.ts';
import { random } from '../../core/base/random.ts';
import { publisherBackoff } from '../../core/policy/client/publisher-backoff.ts';
import { backoffMs } from '../../core/policy/client/reconnect.ts';
import type { Counters } from '../../core/result/counters.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import { createPublishConnection, type OneEvent } from './publish-connection.ts';

/** A server that answers nothing for so long stands still, and others are asked. */
export const silentMs = 2000;
/** How long a server that sends events away is left alone. */
const restMs = 250;

export type LaneHandlers = {
  opened(): void;
  answered(event: number, status: number, text: string, atUs: number): void;
  /** These have no answer from this server; whether it took them is not known. */
  returned(events: readonly number[]): void;
  /** There is no connection. */
  failed(reason: string): void;
};

export type ServerLane = {
  dial(): void;
  /** Whether it takes events now. */
  isOpen(): boolean;
  send(event: number, what: OneEvent): void;
  close(): void;
};

export function createServerLane(
  publishUrl: string,
  counters: Counters,
  seed: number,
  handlers: LaneHandlers,
): ServerLane {
  const jitter = random(seed, 'publisher-reconnect');
  let underWay = newQueue<{ event: number; sentUs: number }>();
  let attempts = 0;
  /** It sent an event away a moment ago. */
  let resting = false;
  /**
   * It said nothing for too long, or sent an event away: until it takes one it is asked one event at a time,
   * so that none is taken while the one before it comes back.
   */
  let suspect = false;
  let over = false;
  let stopWaiting = () => {};

  const connection = createPublishConnection(publishUrl, counters, {
    opened: handlers.opened,
    answered(status, text, atUs) {
      const answered = underWay.shift();
      if (!answered)
        throw new ProtocolError('publish-unasked', 'a server sent an answer that no event had asked for');
      attempts = 0; // and not when a connection opens: a server may take it and close it at once
      if (status !== 503) {
        handlers.answered(answered.event, status, text, atUs);
        if (suspect) {
          suspect = false;
          handlers.opened();
        }
        return;
      }
      resting = suspect = true;
      stopWaiting();
      stopWaiting = later(restMs, () => {
        resting = false;
        handlers.opened();
      });
      handlers.returned([answered.event]);
    },
    closed(cause) {
      if (over) return;
      resting = false;
      handlers.failed(cause.message);
      giveBack();
      // At once at first: servers close idle connections, and the next event may be near.
      const waitMs = attempts === 0 ? 0 : backoffMs(publisherBackoff, attempts, jitter);
      attempts++;
      stopWaiting();
      stopWaiting = later(waitMs, connection.dial);
    },
    problem() {}, // a server that goes is what faults are about; what becomes of events is told
  });

  function giveBack(): void {
    const events = underWay.drain().map(({ event }) => event);
    if (events.length > 0) handlers.returned(events);
  }

  const watch = setInterval(() => {
    const oldest = underWay.peek();
    if (!oldest || nowUs() - oldest.sentUs <= silentMs * 1000) return;
    suspect = true;
    connection.drop();
  }, silentMs / 8);
  watch.unref();

  return {
    dial: connection.dial,
    isOpen: () => connection.isOpen() && !resting && !(suspect && underWay.size() > 0),
    send(event, what) {
      underWay.push({ event, sentUs: nowUs() });
      connection.send(connection.encode(what));
    },
    close() {
      over = true;
      underWay = newQueue();
      stopWaiting();
      clearInterval(watch);
      connection.close();
    },
  };
}
