// Connects a hub with those of other servers through a broker, and lists the brokers. A module is loaded when
// its broker is used, and none of the others.

import type { BrokerAccess } from '../../core/protocol/control.ts';
import type { ServerLimits } from '../../core/scenario/scenario.ts';
import type { BrokeredLog } from '../hub/broker.ts';
import type { Place } from '../hub/event.ts';
import { connectHub, type Hub } from '../hub/hub.ts';
import { keepOrder } from './keep-order.ts';
import type { OpenBroker, ServerBroker } from './broker.ts';

/** A new broker is a file here and a name in core/scenario/servers.ts. */
const brokers: Readonly<Record<BrokerAccess['kind'], () => Promise<OpenBroker>>> = {
  'redis-pubsub': async () => (await import('./redis-pubsub.ts')).openRedisPubSub,
  'redis-streams': async () => (await import('./redis-streams.ts')).openRedisStreams,
  nats: async () => (await import('./nats.ts')).openNats,
  jetstream: async () => (await import('./jetstream.ts')).openJetStream,
  kafka: async () => (await import('./kafka.ts')).openKafka,
};

export type ConnectedHub = {
  hub: Hub<Promise<Place>>;
  /** Ends the connection with the others. */
  close(): Promise<void>;
};

/** @throws UserError when the broker does not answer */
export async function connectBroker(access: BrokerAccess, limits: ServerLimits): Promise<ConnectedHub> {
  let broker: ServerBroker | undefined;
  const { promise, resolve } = Promise.withResolvers<BrokeredLog>();
  const { host } = new URL(access.url);
  const hub = connectHub<Promise<Place>>(limits, (log) => {
    resolve(log);
    // Nobody has the hub before the broker is there.
    return {
      publish: keepOrder(
        (topic, body, stamps, options) => broker!.publish(topic, body, stamps, options),
        host,
      ),
    };
  });
  const open = await brokers[access.kind]();
  broker = await open({ access, limits, log: await promise });
  return { hub, close: broker.close };
}
