// Sends requests and reads their answers, one at a time over one keep-alive connection a client: what polling
// is built on. Connects when there is something to send and no connection. Not when to ask, nor what an
// answer means.

import type { Socket } from 'node:net';
import { nowUs } from '../../core/base/clock.ts';
import { largestAnswerBytes } from '../../core/event/body-size.ts';
import { createDialer, lingerMs, type Cause, type Protocol } from './connection.ts';
import { gunzipBody, isGzip } from './gunzip.ts';
import {
  endResponses,
  newResponseReader,
  readResponse,
  type ResponseHead,
  type ResponseParts,
  type ResponseReader,
} from './http-head.ts';
import type { DialContext } from './connection.ts';
import { ProtocolError, tooLarge } from './protocol-error.ts';

/**
 * A cut that comes later than this after a request is not a race with the server's idle timeout, but a loss,
 * also of a held request.
 */
const idleRaceUs = 10_000;

export type HttpHandlers<Owner> = {
  /**
   * The whole answer; its body is bytes `from`..`to`, inflated where it came compressed, valid during the
   * call only. `send` may be called from here.
   */
  response(owner: Owner, head: ResponseHead, bytes: Buffer, from: number, to: number, atUs: number): void;
  /**
   * The request had no whole answer. An error has been reported and counted, a connection
   * closed in order has not.
   */
  failed(owner: Owner, cause: Cause): void;
};

/** One client: its connection, and the request under way. */
export type Client<Owner> = {
  readonly owner: Owner;
  readonly subscriber: number;
  /** Which of the endpoint's servers the next request goes to. */
  server: number;
  link: Link<Owner> | undefined;
  request: Buffer | undefined;
};

export type HttpClients<Owner> = {
  add(owner: Owner, subscriber: number): Client<Owner>;
  /** Sends a request (`encodeRequest`). One at a time: not before the last was answered or has failed. */
  send(client: Client<Owner>, request: Buffer): void;
  /** Drops the connection; a request under way is forgotten, without `failed`. */
  drop(client: Client<Owner>): void;
};

/** One connection. An abandoned one is no longer its client's `link`. */
type Link<Owner> = {
  readonly client: Client<Owner>;
  readonly server: number;
  socket: Socket | undefined;
  /** It can be used; over TLS that is later than when the socket is connected. */
  opened: boolean;
  readonly reader: ResponseReader;
  head: ResponseHead | undefined;
  /** The body so far, when it came in one piece: `from`..`to` of `bytes`. */
  bytes: Buffer;
  from: number;
  to: number;
  /** The body so far otherwise, copied. */
  pieces: Buffer[];
  bodyBytes: number;
  answered: number;
  /** Whether anything came since the last request. */
  heard: boolean;
  sentUs: number;
};

const nothing = Buffer.alloc(0);

/** Clients of the servers at `context.endpoint`. */
export function createHttpClients<Owner>(
  context: DialContext,
  handlers: HttpHandlers<Owner>,
): HttpClients<Owner> {
  const parts = responseParts(handlers);
  const protocol: Protocol<Link<Owner>> = {
    opened(link) {
      link.opened = true;
      if (link.client.link === link && link.client.request) write(link, link.client.request);
    },
    read(link, bytes, to, atUs) {
      link.heard = true;
      readResponse(link.reader, bytes, 0, to, atUs, parts, link);
      keep(link);
    },
    closed(link, cause) {
      const { client } = link;
      if (client.link !== link) return;
      try {
        endResponses(link.reader, nowUs(), parts, link);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        cause = error;
        context.sink.problem(error.code, error.message);
      }
      if (client.link !== link) return;
      client.link = undefined;
      if (!client.request) return;
      if (link.answered > 0 && !link.heard && nowUs() - link.sentUs < idleRaceUs) {
        // The server closed an idle connection just as a request was on its way (RFC 9112, section 9.3.1).
        open(client);
      } else {
        client.request = undefined;
        handlers.failed(client.owner, cause);
      }
    },
  };
  const dialer = createDialer(context, protocol);

  function open(client: Client<Owner>): void {
    const link = newLink(client);
    client.link = link;
    link.socket = dialer.dial(link, client.subscriber, link.server);
  }

  function write(link: Link<Owner>, request: Buffer): void {
    link.heard = false;
    link.sentUs = nowUs();
    dialer.send(link.socket!, request); // set by `open` before anything can happen on it
  }

  return {
    add: (owner, subscriber) => ({ owner, subscriber, server: 0, link: undefined, request: undefined }),
    send(client, request) {
      client.request = request;
      if (client.link && client.link.server !== client.server) abandon(client.link);
      if (!client.link) open(client);
      else if (client.link.opened) write(client.link, request);
    },
    drop(client) {
      const { link } = client;
      client.link = undefined;
      client.request = undefined;
      link?.socket!.destroy();
    },
  };
}

function newLink<Owner>(client: Client<Owner>): Link<Owner> {
  return {
    client,
    server: client.server,
    socket: undefined,
    opened: false,
    reader: newResponseReader(),
    head: undefined,
    bytes: nothing,
    from: 0,
    to: 0,
    pieces: [],
    bodyBytes: 0,
    answered: 0,
    heard: false,
    sentUs: 0,
  };
}

/** Takes answers together, and hands them on when they are whole. */
function responseParts<Owner>(handlers: HttpHandlers<Owner>): ResponseParts<Link<Owner>> {
  return {
    head(link, head) {
      if (!link.client.request || link.client.link !== link)
        throw new ProtocolError('http-unasked', 'the server sent an answer that no request had asked for');
      link.head = head;
      link.bytes = nothing;
      link.pieces = [];
      link.from = link.to = link.bodyBytes = 0;
    },
    body(link, bytes, from, to) {
      link.bodyBytes += to - from;
      if (link.bodyBytes > largestAnswerBytes)
        throw tooLarge('http-body-too-large', `an answer's body is larger than ${largestAnswerBytes} bytes`);
      if (link.bodyBytes === to - from) {
        link.bytes = bytes;
        link.from = from;
        link.to = to;
      } else {
        keep(link);
        link.pieces.push(Buffer.from(bytes.subarray(from, to)));
      }
    },
    end(link, atUs) {
      const { client, pieces } = link;
      const head = link.head!; // every end has had its head
      if (pieces.length > 0) {
        link.bytes = Buffer.concat(pieces);
        link.from = 0;
        link.to = link.bytes.length;
      }
      let { bytes, from, to } = link;
      link.bytes = nothing;
      link.pieces = [];
      if (to > from && isGzip(head)) {
        bytes = gunzipBody(bytes, from, to, largestAnswerBytes);
        from = 0;
        to = bytes.length;
        atUs = nowUs();
      }
      link.answered++;
      client.request = undefined;
      if (!head.keepAlive) abandon(link);
      handlers.response(client.owner, head, bytes, from, to, atUs);
    },
  };
}

/** Lets the server close it: the side that closes first keeps the port in TIME_WAIT. */
function abandon<Owner>(link: Link<Owner>): void {
  const socket = link.socket!;
  link.client.link = undefined;
  socket.setTimeout(lingerMs, () => socket.destroy());
}

/** Takes the body so far out of the shared buffer. */
function keep<Owner>(link: Link<Owner>): void {
  if (link.bytes === nothing) return;
  link.pieces.push(Buffer.from(link.bytes.subarray(link.from, link.to)));
  link.bytes = nothing;
}
