// Stands before an emulator of SQS, and loses requests that send messages, or their answers.

import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'vitest';
import type { Place } from './over-sqs.ts';

export type SqsProxy = {
  /** The same queues by way of the proxy. */
  before(place: Place): Place;
  /** Loses the next requests that send messages, or their answers. The connection is cut then. */
  lose(what: 'requests' | 'answers', times: number): void;
};

export async function sqsProxy(t: TestContext, { port }: AddressInfo): Promise<SqsProxy> {
  let losing: 'requests' | 'answers' = 'requests';
  let left = 0;
  const server = createServer((asked, answer) => {
    const isSend = asked.headers['x-amz-target'] === 'AmazonSQS.SendMessageBatch';
    const isLost = isSend && left > 0;
    if (isLost) left--;
    if (isLost && losing === 'requests') return void asked.socket.destroy();
    passOn(asked, answer, port, isLost);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const own = (server.address() as AddressInfo).port; // of a TCP listener
  const by = (queue: string) => Object.assign(new URL(queue), { port: String(own) }).href;
  return {
    before: ({ sqs, sqsDeadLetters, ...place }) => ({
      ...place,
      sqs: by(sqs),
      sqsDeadLetters: by(sqsDeadLetters),
    }),
    lose(what, times) {
      losing = what;
      left = times;
    },
  };
}

function passOn(asked: IncomingMessage, answer: ServerResponse, port: number, isLost: boolean): void {
  const { method, url: path, headers } = asked;
  const passed = request({ host: '127.0.0.1', port, method, path, headers }, (got) => {
    if (isLost) {
      got.resume().on('end', () => asked.socket.destroy());
      return;
    }
    answer.writeHead(got.statusCode!, got.headers); // an answer has one
    got.pipe(answer);
  });
  passed.on('error', () => asked.socket.destroy());
  asked.pipe(passed);
  answer.on('close', () => passed.destroy()); // nobody waits for messages any more
}
