// Plays proxies that look into HTTP/1.1. One kind refuses Upgrade or takes its header away, so that no
// WebSocket comes through; another holds responses back until they end or a buffer is full.

import type { Conditions } from '../core/network/conditions.ts';
import { bodyOf, readMessages, type Body, type Head } from './http-messages.ts';
import type { Budget } from './lane.ts';

/** Where the gate's bytes go. */
export type GateEnds = {
  toServer(bytes: Buffer): void;
  toClient(bytes: Buffer): void;
  /** The answer to an Upgrade; nothing more of the connection is wanted. */
  refuse(answer: Buffer): void;
  /** An Upgrade header was taken away. */
  stripped(): void;
  /** It speaks no HTTP/1.1 in clear text, so that nothing can be looked at. */
  unreadable(): void;
};

export type Gate = {
  fromClient(bytes: Buffer): void;
  fromServer(bytes: Buffer): void;
  clientEnded(): void;
  /** The server has ended: nothing is held any more. */
  serverEnded(): void;
  /** The conditions are over for this connection: held bytes go on, and no more are held. */
  open(): void;
  /** The connection is over: held bytes are dropped. */
  stop(): void;
};

const reasons = { 400: 'Bad Request', 403: 'Forbidden', 502: 'Bad Gateway' };

/** Responses that may be under way on a connection; where there are more, nothing is held any longer. */
const pipelinedMost = 1000;

/** @param budget for the bytes that all connections hold; held responses count in it */
export function createGate({ upgrade, bufferBytes }: Conditions, ends: GateEnds, budget: Budget): Gate {
  /** Methods of the requests whose responses are still to come. */
  const asked: string[] = [];
  let refused = false;
  let isOpen = false;
  let known = false;
  const hold = createHold(bufferBytes ?? 0, budget, ends.toClient);

  const requests = readMessages({
    head(head, raw) {
      if (refused) return { length: 0 };
      known = true;
      const [method = ''] = head.start.split(' ');
      if (bufferBytes !== undefined) expectResponse(method);
      const wanted = !isOpen && head.fields.has('upgrade') ? upgrade : undefined;
      if (wanted === 'stripped') {
        ends.stripped();
        ends.toServer(withoutUpgrade(raw));
      } else if (wanted !== undefined) {
        refused = true;
        hold.release();
        ends.refuse(refusal(wanted));
      } else {
        ends.toServer(raw);
      }
      return method === 'CONNECT' ? 'other-protocol' : bodyOf(head, { length: 0 });
    },
    body: (bytes) => refused || ends.toServer(bytes),
    end() {},
    unreadable(bytes) {
      if (refused) return;
      if (!known) ends.unreadable(); // what comes after an Upgrade is none of the gate's business
      known = true;
      ends.toServer(bytes);
    },
  });

  const responses = readMessages({
    head(head, raw) {
      hold.take(raw);
      const body = responseBody(head, asked);
      if (body === 'other-protocol') hold.release();
      return body;
    },
    body: (bytes) => hold.take(bytes),
    end: () => hold.release(),
    unreadable(bytes) {
      hold.release();
      ends.toClient(bytes);
    },
  });

  function expectResponse(method: string): void {
    if (asked.length < pipelinedMost) asked.push(method);
    else open();
  }

  function open(): void {
    isOpen = true;
    responses.finish(); // what of a head was read and not taken yet goes on, too
    hold.release();
  }

  return {
    fromClient(bytes) {
      if (!refused) requests.read(bytes);
    },
    fromServer(bytes) {
      if (refused) return;
      if (isOpen || bufferBytes === undefined) ends.toClient(bytes);
      else responses.read(bytes);
    },
    clientEnded() {
      requests.finish();
      // Proxies that buffer take a client that ends its side meanwhile to be gone, and drop its response.
      if (hold.holds()) hold.drop();
    },
    serverEnded() {
      responses.finish();
      hold.release();
    },
    open,
    stop: hold.drop,
  };
}

/**
 * Keeps bytes until there are so many, they are released, or all connections together hold as much as they
 * may: the sender cannot be made to wait then, since what would release the response is still to come.
 */
function createHold(mostBytes: number, budget: Budget, passOn: (bytes: Buffer) => void) {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let nobody = false;
  const empty = (): Buffer[] => {
    const all = held;
    budget.heldBytes -= heldBytes;
    held = [];
    heldBytes = 0;
    return all;
  };
  const release = () => {
    if (heldBytes > 0) passOn(Buffer.concat(empty()));
  };
  return {
    release,
    holds: () => heldBytes > 0,
    /** Bytes held now or later are dropped. */
    drop() {
      nobody = true;
      empty();
    },
    take(bytes: Buffer) {
      if (nobody) return;
      held.push(bytes);
      heldBytes += bytes.length;
      budget.heldBytes += bytes.length;
      if (heldBytes >= mostBytes || budget.heldBytes >= budget.mostBytes) release();
    },
  };
}

/** RFC 9112, section 6.3. Takes the response's request off the list, unless this is not a final response. */
function responseBody(head: Head, asked: string[]): Body {
  const status = Number(head.start.split(' ')[1]);
  if (status === 101) return 'other-protocol';
  if (status < 200) return { length: 0 };
  const method = asked.shift();
  if (method === 'HEAD' || status === 204 || status === 304) return { length: 0 };
  return bodyOf(head, 'rest');
}

/** As a proxy passes a request on that knows nothing of Upgrade: a field for the next hop alone. */
function withoutUpgrade(raw: Buffer): Buffer {
  const lines = raw.toString('latin1').split('\r\n');
  const kept = lines.filter((line) => !/^(?:upgrade|connection)\s*:/i.test(line));
  return Buffer.from(kept.join('\r\n'), 'latin1');
}

function refusal(status: keyof typeof reasons): Buffer {
  const text = `The proxy in front of this server does not pass Upgrade on (${status}).\n`;
  return Buffer.from(
    `HTTP/1.1 ${status} ${reasons[status]}\r\ncontent-type: text/plain\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
    'latin1',
  );
}
