// Makes raw TCP connections for simulated clients, thousands to a process: all of them read into one shared
// buffer, and what arrives is handed on in place. Counts connections and bytes, and reports errors. Knows no
// protocol.

import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { addressOf } from '../../core/base/address.ts';
import { nowUs } from '../../core/base/clock.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { ConnectLog } from './connect-log.ts';
import { ProtocolError } from './protocol-error.ts';

/**
 * Why a connection ended: a system error's code, a protocol error's, or `ended`: closed
 * in order by either side.
 */
export type Cause = { code: string; message: string };

/** What connections of one kind do. One object serves all of them; `Owner` is the state of a single one. */
export type Protocol<Owner> = {
  /** There is a connection; the first request may be sent. */
  opened(owner: Owner): void;
  /**
   * Bytes `0`..`to` of `bytes` arrived at `atUs`. They are valid during the call only: the buffer is shared.
   * @throws ProtocolError to have it reported and the connection dropped
   */
  read(owner: Owner, bytes: Buffer, to: number, atUs: number): void;
  /** It is over, or never began; called once for each `dial`. Errors have been reported and counted. */
  closed(owner: Owner, cause: Cause): void;
};

export type Dialer<Owner> = {
  /**
   * Connects from the subscriber's source address. The socket is for `send`, `end` and `destroy`.
   * @param server which of the endpoint's; its first when left out
   */
  dial(owner: Owner, subscriber: number, server?: number): Socket;
  /** Writes and counts. */
  send(socket: Socket, bytes: Buffer): void;
  /** From now on connections that end with an error are nothing to report. */
  quiet(): void;
};

/** How a connection is made, and the event that says that it can be used. */
export type Connector = {
  connect(options: TcpNetConnectOpts, subscriber: number): Socket;
  opened: 'connect' | 'secureConnect';
};

const plain: Connector = { connect: (options) => connect(options), opened: 'connect' };

/** How long the server may take to close a connection that is done with; then it is closed from here. */
export const lingerMs = 2000;

/** The address that the kernel gives a loopback connection by itself. */
const ownAddress = '127.0.0.1';

const ended: Cause = { code: 'ended', message: 'the connection was closed' };

// Every read of the process goes through this buffer, so an idle connection holds no memory for reading.
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** Where the servers are: `urls` where there is a list of them, `url` alone otherwise. */
export type Servers = { url: string; urls?: readonly string[]; publishUrls?: readonly string[] };

/**
 * Whether there are several servers, found by a list or behind one address. What one of them says for good,
 * that it goes away, is a loss like any other then: the client comes back to another.
 */
export function areSeveral({ urls, publishUrls }: Servers): boolean {
  return (urls ?? publishUrls) !== undefined;
}

/** Each server's URL, in the order of the list. */
export function urlsOf({ url, urls }: Servers): URL[] {
  return (urls && urls.length > 0 ? urls : [url]).map((one) => new URL(one));
}

/** What connections need to know of their load process; a part of its `LoadContext`. */
export type DialContext = {
  endpoint: Servers;
  counters: Counters;
  sourceAddress(subscriber: number): string;
  sink: { problem(code: string, message: string): void };
  connector?: Connector;
  connects?: Pick<ConnectLog, 'tried' | 'opened'> | undefined;
};

/** Connections to the hosts and ports of `context.endpoint`. */
export function createDialer<Owner>(context: DialContext, protocol: Protocol<Owner>): Dialer<Owner> {
  const { counters, sink, connects, connector = plain } = context;
  const addresses = urlsOf(context.endpoint).map((url) => {
    const { host, port } = addressOf(url);
    return { host, port, family: isIP(host) };
  });
  let reporting = true;

  return {
    dial(owner, subscriber, server = 0) {
      const { host, port, family } = addresses[server]!; // chosen from this very list
      let opened = false;
      let cause = ended;
      const localAddress = context.sourceAddress(subscriber);
      connects?.tried(nowUs());
      const options: TcpNetConnectOpts = {
        host,
        port,
        noDelay: true,
        // Binding to the usual address would take a port for it alone, not for the pair of both ends. Source
        // addresses are of IPv4; over IPv6 there is only ::1.
        ...(localAddress === ownAddress || family === 6 ? {} : { localAddress }),
        onread: {
          buffer: shared,
          callback(length) {
            counters.bytesIn += length;
            try {
              protocol.read(owner, shared, length, nowUs());
            } catch (error) {
              if (!(error instanceof ProtocolError)) throw error;
              socket.destroy(error);
            }
            return true;
          },
        },
      };
      const socket = connector.connect(options, subscriber);
      socket.once(connector.opened, () => {
        opened = true;
        counters.connectionsOpened++;
        connects?.opened(nowUs());
        protocol.opened(owner);
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        cause = { code: error.code ?? 'unknown', message: error.message };
        if (reporting) sink.problem(cause.code, cause.message);
      });
      socket.on('close', () => {
        if (opened) counters.connectionsClosed++;
        protocol.closed(owner, cause);
      });
      return socket;
    },
    send(socket, bytes) {
      counters.bytesOut += bytes.length;
      socket.write(bytes);
    },
    quiet() {
      reporting = false;
    },
  };
}
