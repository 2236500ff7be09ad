// Answers in HTTP on sockets without a response object of Node: failed handshakes, and bytes that are no
// request. Each answer is the last on its connection, which is closed whether or not the client closes its
// side.

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a refused client may go on sending, so that it reads why before it is cut off. */
const lingerMs = 1000;

/** An answer without a body. @param status with its words, such as `400 Bad Request` */
export function endWithStatus(socket: Duplex, status: string): void {
  end(socket, [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Length: 0'], '');
}

/** As `answerError` in request.ts. @param fields further lines of the head */
export function endWithError(
  socket: Duplex,
  { status, code, message }: { status: number; code: string; message: string },
  fields: readonly string[] = [],
): void {
  const body = `${JSON.stringify({ error: code, message })}\n`;
  end(
    socket,
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...fields,
    ],
    body,
  );
}

function end(socket: Duplex, head: readonly string[], body: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // Closing with bytes unread would reset the connection, and the answer could be lost on the way.
  socket.resume();
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
