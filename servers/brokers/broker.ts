// Defines what a broker between servers is given and must offer, and what all brokers share: limits, times,
// and what a publisher is told when the broker is away. One file per broker implements it; connect.ts lists
// them.

import { exitCodes, UserError } from '../../core/base/errors.ts';
import type { BrokerAccess } from '../../core/protocol/control.ts';
import type { ServerLimits } from '../../core/scenario/scenario.ts';
import type { Broker, BrokeredLog } from '../hub/broker.ts';
import type { Place } from '../hub/event.ts';
import { RequestError } from '../http/request.ts';

export type BrokerOptions = {
  access: BrokerAccess;
  limits: Pick<ServerLimits, 'history' | 'historySize'>;
  log: BrokeredLog;
};

export type ServerBroker = Broker<Promise<Place>> & {
  /** Ends its connections and timers. What is being published is refused. */
  close(): Promise<void>;
};

/**
 * Resolves when the log has what a server starts with: everything that the broker still has, or its present
 * end.
 * @throws UserError when the broker does not answer, or takes nothing
 */
export type OpenBroker = (options: BrokerOptions) => Promise<ServerBroker>;

/** How long a broker may take to answer a server that starts. */
export const openWithinMs = 5000;
/** How long it may take to confirm an event. */
export const confirmWithinMs = 2000;
/** How long a publish waits for this server to take an event that the broker has confirmed. */
export const takenWithinMs = 1000;
/** After this long without an event a server asks whether the broker still has the same log. */
export const quietMs = 2000;
/** How long a broker remembers a key: the time that JetStream takes by default. */
export const brokerKeyStaysMs = 120_000;
/** What servers leave in a broker expires this long after its last use. */
export const leftStaysMs = 86_400_000;

/** How much a broker that keeps events keeps, of all topics together. */
export function keptBy({ history, historySize }: BrokerOptions['limits']): { events: number; bytes: number } {
  return { events: Math.max(1000, history * 100), bytes: Math.max(16 * 1024 ** 2, historySize) };
}

export type Refusals = {
  /** No server has taken the event and none will. */
  away(why: string): RequestError;
  /** It may have been taken. */
  unknown(why: string): RequestError;
  /** To the server that starts. */
  absent(why: string): UserError;
};

/**
 * @param broker for people: `Redis`
 * @param knowsKeys whether it takes an event once that is sent again with the same Idempotency-Key
 */
export function refusalsOf(broker: string, url: string, knowsKeys = true): Refusals {
  const { host } = new URL(url);
  const refused = (code: string, what: string) =>
    new RequestError(503, code, `${broker} at ${host}, which connects the servers, ${what}`);
  return {
    away: (why) => refused('broker-away', `took nothing (${why}); try again, or at another server`),
    unknown: (why) =>
      refused(
        'unknown',
        `did not confirm the event (${why}), which may have been taken; ` +
          (knowsKeys ? 'repeat it with the same Idempotency-Key' : 'repeated, it may come twice'),
      ),
    absent: (why) =>
      new UserError(
        'broker',
        `${broker} at ${host} connects no servers: ${why}; start it, or name another address`,
        exitCodes.failed,
      ),
  };
}

/** What may be under way to a broker at a time: events, and bytes of them. */
const underWayMost = { events: 10_000, bytes: 64 * 1024 ** 2 };

/**
 * Bounds the events and bytes under way to a broker.
 * @returns makes room for one event, and returns a function that frees it; throws 503 when there is no room
 */
export function createRoom({ away }: Refusals): (bytes: number) => () => void {
  let events = 0;
  let bytes = 0;
  return (size) => {
    // One that is larger than all of the room goes by itself.
    if (events > 0 && (events >= underWayMost.events || bytes + size > underWayMost.bytes))
      throw away(`${events} events wait for it already`);
    events++;
    bytes += size;
    return () => {
      events--;
      bytes -= size;
    };
  };
}

/**
 * Fails when a broker that is being opened does not get there in time.
 * @param late why
 */
export async function openInTime(opened: Promise<void>, late: () => Error): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), openWithinMs);
  await Promise.race([opened, promise]).finally(() => clearTimeout(timer));
}
