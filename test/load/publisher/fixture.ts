// Holds what the tests of the publisher share: plans, windows, and small servers that take what is published.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { nowUs } from '../../../core/base/clock.ts';
import type { Window } from '../../../core/protocol/control.ts';
import type { PublishPlan } from '../../../core/plan/publish-plan.ts';
import { planTopics } from '../../../core/scenario/topics.ts';
import type { Publisher } from '../../../load/publisher/contract.ts';
import { startPublisher } from '../../../load/publisher/publisher.ts';

export const topics = planTopics({
  subscribers: 2,
  topics: {
    news: { publish: { kind: 'constant', perS: 1 }, count: 1, follow: 1 },
    own: { publish: { kind: 'constant', perS: 1 }, count: 'per-subscriber', follow: 1 },
  },
});

/** Events at these milliseconds from the start of the warm-up, on topics and with bodies in turn. */
export function planOf(
  offsetsMs: number[],
  bodies: string[] | { sizeBytes: number } = ['{"a":1}'],
): PublishPlan {
  return {
    offsetUs: Float64Array.from(offsetsMs, (ms) => ms * 1000),
    topic: Uint32Array.from(offsetsMs, (_, i) => i % 3),
    body: Int32Array.from(offsetsMs, (_, i) =>
      Array.isArray(bodies) ? i % bodies.length : -bodies.sizeBytes,
    ),
    corpus: Array.isArray(bodies) ? bodies : [],
  };
}

export const windowIn = (ms: number, warmupMs = 0, measureMs = 60_000): Window => {
  const warmupFromUs = nowUs() + ms * 1000;
  return {
    warmupFromUs,
    fromUs: warmupFromUs + warmupMs * 1000,
    toUs: warmupFromUs + measureMs * 1000,
    slotUs: 1_000_000,
  };
};

export const every = (stepMs: number, count: number) => Array.from({ length: count }, (_, i) => i * stepMs);
export const topicNames = ['news', 'own.0', 'own.1'];

export async function listen<S extends Server>(server: S) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export type Request = { path: string; headers: IncomingMessage['headers']; body: Buffer; connection: Socket };

/**
 * A server over `node:http`: keeps every request, and answers as it is told, by default as the wire has it.
 */
export async function startServer(answer?: (response: ServerResponse, at: number) => void) {
  const requests: Request[] = [];
  const seqs: Record<string, number> = {};
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const at = requests.length;
    const kept: Request = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.alloc(0),
      connection: request.socket,
    };
    requests.push(kept);
    kept.body = Buffer.concat((await request.toArray()) as Buffer[]);
    if (answer) answer(response, at);
    else
      response.writeHead(201).end(`{"id":"e-${at}","seq":${(seqs[kept.path] = (seqs[kept.path] ?? 0) + 1)}}`);
  });
  const url = await listen(server);
  return {
    url,
    requests,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A server that is handed each request of a connection, as text, and answers in bytes. */
export async function startRaw(onRequest: (socket: Socket, request: string, nth: number) => void) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    let [text, nth] = ['', 0];
    socket.on('error', () => {});
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (;;) {
        const head = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/.exec(text)?.[1]);
        if (head < 0 || text.length < head + 4 + length) return;
        onRequest(socket, text.slice(0, head + 4 + length), nth++);
        text = text.slice(head + 4 + length);
      }
    });
  });
  const url = await listen(server);
  return {
    url,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export const created = (seq: number) => {
  const body = `{"id":"e-${seq}","seq":${seq}}`;
  return `HTTP/1.1 201 Created\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
};

export async function start(url: string, plan: PublishPlan, seed = 1): Promise<Publisher & AsyncDisposable> {
  const publisher = startPublisher({ publishUrl: url, topics, plan, seed });
  await publisher.ready;
  return Object.assign(publisher, { [Symbol.asyncDispose]: async () => publisher.close() });
}

export const problemsOf = ({ problems }: { problems: { code: string; message: string; count: number }[] }) =>
  problems.map(({ code, message, count }) => `${count} ${code}: ${message}`);
