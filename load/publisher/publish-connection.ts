// Speaks the publisher's half of the wire: `POST /topics/{topic}` pipelined on one HTTP/1.1 connection
// (docs/wire.md), and the answers in the order of the requests. Not when events are sent, nor which answer
// belongs to which.

import type { Socket } from 'node:net';
import { newCounters } from '../../core/result/counters.ts';
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

export type PublishConnection = {
  /** Connects; once at a time. */
  dial(): void;
  isOpen(): boolean;
  /** One event's request. */
  encode(topic: string, body: Body, plannedUs: number, sentUs: number): string;
  /** Writes requests, one behind the other. */
  send(requests: string): void;
  /** Bytes written that the kernel has not taken yet. */
  backlogBytes(): number;
  close(): void;
};

/** Where one connection is in its answers. */
type Link = { reader: ResponseReader; status: number; text: string };

const answerKept = 1000;

/** Writes the request that publishes one event on a server of ours. */
export function publishWriter(publishUrl: string): PublishConnection['encode'] {
  const url = new URL(publishUrl);
  const target = pathBelow(url, '/topics/');
  return (topic, { text, bytes, crc }, plannedUs, sentUs) =>
    `POST ${target}${topic} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
    `content-length: ${bytes}\r\n` +
    `pushbench-planned: ${plannedUs}\r\npushbench-sent: ${sentUs}\r\npushbench-crc: ${crc}\r\n\r\n${text}`;
}

export function createPublishConnection(publishUrl: string, handlers: PublishHandlers): PublishConnection {
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
      // Publishing is no part of what a pattern costs.
      counters: newCounters(),
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
    close() {
      dialer.quiet();
      socket?.destroy();
    },
  };
}
