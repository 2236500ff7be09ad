// Connects hubs of several servers in two ways that servers could: one place numbers for all of them, or one
// of them numbers for the others. What comes late comes when the test says so.

import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import type { ArrivingEvent, BrokeredLog, ConnectBroker } from '../../../servers/hub/broker.ts';
import type { HubEvent } from '../../../servers/hub/event.ts';
import { connectHub, createHub, type Hub } from '../../../servers/hub/hub.ts';

export const epoch = 'e';

export type SharedHubs = {
  hubs: Hub[];
  /** Gives a server the next event that is on its way to it. @returns false when there is none */
  deliver(server: number): boolean;
  /** The next event that is published is refused with this. */
  fail(error: Error): void;
};

type Server = {
  log: BrokeredLog | undefined;
  inbox: HubEvent[];
  waiting: Map<string, (event: HubEvent) => void>;
};

/** An event of another log, as it is given to a copy of it. */
export function arriving({ offset, topic, seq, json }: HubEvent): ArrivingEvent {
  return { offset, topic, seq, rest: json.slice(json.indexOf(',"planned":')) };
}

/** @param afterPublishing is called when events are on their way */
export function placeNumbers(
  count: number,
  limits: Partial<ServerLimits> = {},
  afterPublishing: (deliver: SharedHubs['deliver']) => void = () => {},
): SharedHubs {
  const all = { ...defaultLimits, ...limits };
  const place = createHub(all, { epoch });
  return connectAll(count, all, afterPublishing, (servers, failure) => (server) => ({
    async publish(topic, body, stamps) {
      const error = failure();
      if (error) throw error;
      const event = place.publish(topic, body, stamps);
      for (const { inbox } of servers) inbox.push(event);
      return new Promise((resolve) => server.waiting.set(event.id, resolve));
    },
  }));
}

/** The first server numbers; the others ask it, and are told by it. */
export function firstNumbers(
  count: number,
  limits: Partial<ServerLimits> = {},
  afterPublishing: (deliver: SharedHubs['deliver']) => void = () => {},
): SharedHubs {
  const all = { ...defaultLimits, ...limits };
  return connectAll(count, all, afterPublishing, (servers, failure) => (server) => ({
    publish(topic, body, stamps) {
      const error = failure();
      if (error) throw error;
      const [first, ...others] = servers;
      const event = first!.log!.append(topic, body, stamps);
      for (const { inbox } of others) inbox.push(event);
      return server === first ? event : new Promise((resolve) => server.waiting.set(event.id, resolve));
    },
  }));
}

function connectAll(
  count: number,
  limits: ServerLimits,
  afterPublishing: (deliver: SharedHubs['deliver']) => void,
  brokerOf: (
    servers: Server[],
    failure: () => Error | undefined,
  ) => (server: Server) => ReturnType<ConnectBroker>,
): SharedHubs {
  let failing: Error | undefined;
  const failure = () => {
    const error = failing;
    failing = undefined;
    return error;
  };
  const servers = Array.from({ length: count }, (): Server => ({
    log: undefined,
    inbox: [],
    waiting: new Map(),
  }));
  const newBroker = brokerOf(servers, failure);
  function deliver(index: number): boolean {
    const { log, inbox, waiting } = servers[index]!;
    const event = inbox.shift();
    if (!event) return false;
    log!.receive(arriving(event));
    waiting.get(event.id)?.(event);
    waiting.delete(event.id);
    return true;
  }
  const hubs = servers.map((server) =>
    connectHub(
      limits,
      (log) => {
        server.log = log;
        const broker = newBroker(server);
        return {
          publish(topic, body, stamps) {
            const published = broker.publish(topic, body, stamps);
            afterPublishing(deliver);
            return published;
          },
        };
      },
      { epoch },
    ),
  );
  return { hubs, deliver, fail: (error) => void (failing = error) };
}
