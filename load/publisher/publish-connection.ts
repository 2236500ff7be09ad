// Speaks the publisher's half of the wire: `POST /topics/{topic}` pipelined on one HTTP/1.1 connection
// (docs/wire.md), and the answers in the order of the requests. Not when events are sent, nor which answer
// belongs to which.

import type { Socket } from 'node:net';
import type { Counters } from '../../core/result/counters.ts';
import type { Body } from './body-stock.ts';
import { createDialer, type Cause, type Protocol } from '../wire/connection.ts';
import {
  newResponseReader,
  pathBelow,
  readResponse,
  type ResponseParts,
  type ResponseReader,
} from '../wire/http-head.ts';

export type PublishHandlers = {
  opened(): void;
  /** The next request in order was answered; `text` is the beginning of the answer's body. */
  answered(status: number, text: string, atUs: number): void;
  /** The connection has ended, or could not be made. Errors have been reported as problems. */
  closed(cause: Cause): void;
  problem(code: string, message: string): void;
};

/** What is published. `seq`: the number that the publisher gives it in its topic, where it numbers events. */
export type OneEvent = { topic: string; body: Body; plannedUs: number; sentUs: number; seq?: number };

export type PublishConnection = {
  /** Connects; once at a time. */
  dial(): void;
  isOpen(): boolean;
  /** One event's request. */
  encode(event: OneEvent): string;
  /** Writes requests, one behind the other. */
  send(requests: string): void;
  /** Bytes written that the kernel has not taken yet. */
  backlogBytes(): number;
  /** Ends the connection, which is then announced as any other end. */
  drop(): void;
  close(): void;
};

/** Where one connection is in its answers. */
type Link = { reader: ResponseReader; status: number; text: string };

const answerKept = 1000;

/**
 * Writes the request that publishes one event on a server of ours. One with a number can be sent again, to
 * any server of a cluster, and is the same event.
 */
export function publishWriter(publishUrl: string): PublishConnection['encode'] {
  const url = new URL(publishUrl);
  const target = pathBelow(url, '/topics/');
  return ({ topic, body: { text, bytes, crc }, plannedUs, sentUs, seq }) =>
    `POST ${target}${topic} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
    `content-length: ${bytes}\r\n` +
    (seq === undefined ? '' : `pushbench-seq: ${seq}\r\nidempotency-key: "${topic}-${seq}"\r\n`) +
    `pushbench-planned: ${plannedUs}\r\npushbench-sent: ${sentUs}\r\npushbench-crc: ${crc}\r\n\r\n${text}`;
}

/** @param counters those of publishing, which is not part of what a pattern costs */
export function createPublishConnection(
  publishUrl: string,
  counters: Counters,
  handlers: PublishHandlers,
): PublishConnection {
  let socket: Socket | undefined;
  let open = false;

  const parts: ResponseParts<Link> = {
    head(link, { status }) {
      link.status = status;
      link.text = '';
    },
    body(link, bytes, from, to) {
      if (link.text.length < answerKept)
        link.text += bytes.toString('utf8', from, Math.min(to, from + answerKept));
    },
    end(link, atUs) {
      handlers.answered(link.status, link.text, atUs);
    },
  };

  const protocol: Protocol<Link> = {
    opened() {
      open = true;
      handlers.opened();
    },
    read(link, bytes, to, atUs) {
      readResponse(link.reader, bytes, 0, to, atUs, parts, link);
    },
    closed(_link, cause) {
      open = false;
      handlers.closed(cause);
    },
  };

  const dialer = createDialer<Link>(
    {
      endpoint: { url: publishUrl },
      counters,
      sourceAddress: () => '127.0.0.1',
      sink: handlers,
    },
    protocol,
  );

  return {
    dial() {
      socket = dialer.dial({ reader: newResponseReader(), status: 0, text: '' }, 0);
    },
    isOpen: () => open,
    encode: publishWriter(publishUrl),
    send(requests) {
      dialer.send(socket!, Buffer.from(requests)); // only called while the connection is open
    },
    backlogBytes: () => socket!.writableLength,
    drop: () => void socket?.destroy(),
    close() {
      dialer.quiet();
      socket?.destroy();
    },
  };
}
