// Opens the connection to a NATS server that both brokers on NATS use: it comes back by itself, quietly, and
// nothing is handed to it while it is away, since the library would keep it to send it late.

import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { messageOf } from '../../core/base/errors.ts';
import { openWithinMs, quietMs, refusalsOf, type BrokerOptions, type Refusals } from './broker.ts';
import { RequestError } from '../http/request.ts';

export type NatsLink = {
  readonly connection: NatsConnection;
  readonly refusals: Refusals;
  /** Whether something can be sent. */
  ready(): boolean;
  /**
   * The bytes to send.
   * @throws RequestError 413 when the server takes none so large
   */
  payload(text: string): Uint8Array;
  close(): Promise<void>;
};

/** Between two tries to connect, and a random part of as much on top. */
const againMs = 150;

/** How long a server that does not answer holds up the end. */
const lastWordMs = 250;

/**
 * @param change is called when the connection is lost, and when it is there again
 * @throws UserError when there is none to begin with
 */
export async function openNatsLink(
  { access }: Pick<BrokerOptions, 'access'>,
  change: (ready: boolean) => void,
): Promise<NatsLink> {
  const refusals = refusalsOf('NATS', access.url, access.kind === 'jetstream');
  const connection = await connect({
    servers: new URL(access.url).host,
    name: access.name,
    timeout: openWithinMs / 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: againMs,
    reconnectJitter: againMs,
    pingInterval: quietMs / 2,
    maxPingOut: 3,
    ignoreClusterUpdates: true,
  }).catch((error: unknown) => {
    throw refusals.absent(messageOf(error).slice(0, 200));
  });
  let isUp = true;

  async function watch(): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' && isUp) change((isUp = false));
      if (type === 'reconnect' && !isUp) change((isUp = true));
    }
  }
  void watch();

  return {
    connection,
    refusals,
    ready: () => isUp && !connection.isClosed(),
    payload(text) {
      const bytes = Buffer.from(text);
      const most = connection.info?.max_payload ?? Infinity;
      if (bytes.length <= most) return bytes;
      throw new RequestError(
        413,
        'too-large-for-broker',
        `the event takes ${bytes.length} bytes, and NATS at ${new URL(access.url).host} takes ${most}; ` +
          'raise its max_payload',
      );
    },
    async close() {
      // On a connection whose other end has just gone, the library's own last write fails when nobody listens
      // to it any more. A round trip finds out first.
      const asked = connection.flush().catch(() => {});
      await Promise.race([asked, sleep(lastWordMs)]);
      await connection.close();
    },
  };
}
