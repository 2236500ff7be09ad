// Answers a request as the receiver was told to: at once, late, never, or by cutting the connection.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Conduct } from './conduct.ts';
import { refuse } from './listener.ts';

/** Requests that are never answered and still open; the oldest makes room for the next. */
const mostHeld = 256;

export type Answering = (request: IncomingMessage, response: ServerResponse, conduct: Conduct) => void;

export function createAnswering(): Answering {
  const held = new Set<ServerResponse>();

  function hold(response: ServerResponse): void {
    held.add(response);
    response.once('close', () => held.delete(response));
    for (const oldest of held) {
      if (held.size <= mostHeld) break;
      held.delete(oldest);
      oldest.destroy();
    }
  }

  return (request, response, { does, status, byMs }) => {
    if (does === 'hang') return hold(response);
    if (does === 'reset' || does === 'lose-answer') return void request.socket.destroy();
    if (byMs === 0) return finish(response, status);
    hold(response);
    setTimeout(() => finish(response, status), byMs).unref(); // closing the receiver cuts the connection
  };
}

function finish(response: ServerResponse, status: number): void {
  if (response.destroyed) return;
  if (status < 300) return void response.writeHead(status).end();
  refuse(response, status, 'as-told', `this receiver was told to answer ${status}`);
}
