// Registers a receiver whose first answer is a failure, so that the server calls it twice.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { dial, portOf, publish, type Exchange, type Line } from '../conversation.ts';
import { exampleSecret, steadyText } from '../steady-text.ts';

export const exchange: Exchange = {
  options: { retries: ['20ms'], jitter: '0%' },
  async talk(server, lines) {
    const receiver = await receive(lines, [
      'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
    ]);
    const client = await dial(server, lines);
    client.note('the receiver registers its address');
    const body =
      `{"url":"http://127.0.0.1:${receiver.port}/hook",` + `"events":["news"],"secret":"${exampleSecret}"}`;
    client.say(
      `POST /webhooks HTTP/1.1\r\nHost: 127.0.0.1:${portOf(server)}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.heard(/^HTTP\/1\.1 201[\s\S]*}\n?$/);
    client.note('an event is published: the server calls (<), and the receiver is not ready (>)');
    await publish(server);
    await receiver.done;
    client.end();
    receiver.close();
  },
};

/** A webhook receiver with its answers in order. */
async function receive(lines: Line[], answers: string[]) {
  const done = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    let come = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      come += text;
      const [, length] = /content-length: (\d+)/i.exec(come) ?? [];
      const at = come.indexOf('\r\n\r\n');
      if (at < 0 || come.length - at - 4 < Number(length)) return;
      const answer = answers.shift()!; // as many answers as attempts
      lines.push({ by: '<', text: steadyText(come) }, { by: '>', text: answer });
      if (answers.length > 0)
        lines.push({
          by: '#',
          text: 'a little later it calls again, with the same id and a signature of its own',
        });
      come = '';
      socket.write(answer);
      if (answers.length === 0) done.resolve();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  return {
    port: (listener.address() as AddressInfo).port, // of a TCP server
    done: done.promise,
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
