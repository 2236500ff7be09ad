// Publishes the events of the schedule as they come due. While no server takes any they wait, in their order,
// until the publisher has found one again (load/publisher/server-lane.ts).

import type { Random } from '../../core/base/random.ts';
import { publisherBackoff } from '../../core/policy/client/publisher-backoff.ts';
import { backoffMs } from '../../core/policy/client/reconnect.ts';
import type { Sized } from '../models/stream-kind.ts';
import type { Time } from './time.ts';
import type { ServerState } from './server-state.ts';

export type Publishing = {
  begin(): void;
  /** A server begins or ends to take events. */
  serversChanged(): void;
  /** Events that no server took. */
  waiting(): readonly Sized[];
};

/** @param take a server takes an event, now */
export function createPublishing(
  time: Time,
  servers: readonly ServerState[],
  events: Iterator<Sized>,
  random: Random,
  take: (event: Sized) => void,
): Publishing {
  let waiting: Sized[] = [];
  let isOpen = true;
  let lostUs = 0;
  let next = events.next();
  const isAnyUp = () => servers.some(({ running, listening }) => running && listening);

  const publish = time.handler(() => {
    if (next.done) return;
    if (isOpen) take(next.value);
    else waiting.push(next.value);
    next = events.next();
    schedule();
  });

  function schedule(): void {
    if (!next.done) time.at(next.value.atUs, publish, 0);
  }

  /** When a publisher that has tried again and again since the loss tries the next time. */
  function nextTryUs(): number {
    let atUs = lostUs;
    for (let attempts = 1; atUs < time.nowUs(); attempts++)
      atUs += backoffMs(publisherBackoff, attempts, random) * 1000;
    return atUs;
  }

  function found(): void {
    if (isOpen || !isAnyUp()) return;
    isOpen = true;
    for (const event of waiting) take(event);
    waiting = [];
  }

  return {
    begin: schedule,
    serversChanged() {
      if (isOpen && !isAnyUp()) {
        isOpen = false;
        lostUs = time.nowUs();
      } else if (!isOpen && isAnyUp()) time.later(nextTryUs(), found);
    },
    waiting: () => waiting,
  };
}
