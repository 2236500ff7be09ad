// Plays the only broker of a Kafka, as far as a test needs one: it leads partition 0 of every topic, takes
// what is written, and goes away in the middle of a write or refuses to make topics when the test says so.
// Nobody can read from it.

import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'vitest';

export type ScriptedKafka = {
  /** `host:port`. */
  host: string;
  /** How many requests to write have come. */
  writes(): number;
  /** The next request to write is the last that it gets: it is gone before it answers, and stays away. */
  goAtNextWrite(): void;
};

/** Requests by their keys in the protocol, each in the one version that is spoken here. */
const produce = 0;
const metadata = 3;
const apiVersions = 18;
const createTopics = 19;
const versions = [
  [produce, 3],
  [metadata, 2],
  [apiVersions, 2],
  [createTopics, 0],
] as const;

const node = 1;
const none = -1;

export type Script = {
  /** What it calls itself; of a mock cluster nobody asks that it make topics. */
  clusterId?: string;
  /** What it answers where topics are to be made, by its number in the protocol; 0 for `made`. */
  topicError?: number;
};

export async function scriptKafka(
  t: TestContext,
  { clusterId = 'mockClusterScripted', topicError = 0 }: Script = {},
): Promise<ScriptedKafka> {
  const sockets = new Set<Socket>();
  let writes = 0;
  let isGoing = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    let rest: Buffer = Buffer.alloc(0);
    socket
      .on('error', () => {})
      .on('close', () => sockets.delete(socket))
      .on('data', (bytes: Buffer) => {
        rest = Buffer.concat([rest, bytes]);
        while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE()) {
          const end = 4 + rest.readInt32BE();
          take(socket, rest.subarray(4, end));
          rest = rest.subarray(end);
        }
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { address: host, port } = server.address() as AddressInfo; // of a TCP listener
  t.onTestFinished(end);

  function end(): void {
    server.close();
    for (const socket of sockets) socket.destroy();
  }

  function take(socket: Socket, request: Buffer): void {
    const key = request.readInt16BE();
    // Behind key, version, number and the client's name.
    const body = request.subarray(10 + request.readInt16BE(8));
    if (key === produce) {
      writes++;
      if (isGoing) return end();
    }
    const answer = Buffer.concat([request.subarray(4, 8), answerTo(key, body)]);
    socket.write(Buffer.concat([int32(answer.length), answer]));
  }

  function answerTo(key: number, body: Buffer): Buffer {
    if (key === apiVersions) {
      const spoken = versions.map(([one, version]) =>
        Buffer.concat([int16(one), int16(version), int16(version)]),
      );
      return Buffer.concat([int16(0), list(spoken), int32(0)]);
    }
    if (key === produce) return Buffer.concat([list([]), int32(0)]); // of no partition an error
    if (key === createTopics) {
      const first = body.subarray(4, 6 + body.readInt16BE(4)); // its name; the others are left out
      return list([Buffer.concat([first, int16(topicError)])]);
    }
    if (key !== metadata) throw new Error(`nobody has said that requests ${key} are understood`);
    const broker = Buffer.concat([int32(node), text(host), int32(port), int16(none)]);
    const replicas = list([int32(node)]);
    const partition = Buffer.concat([int16(0), int32(0), int32(node), replicas, replicas]);
    const topics = textsOf(body).map((name) =>
      Buffer.concat([int16(0), text(name), Buffer.from([0]), list([partition])]),
    );
    return Buffer.concat([list([broker]), text(clusterId), int32(node), list(topics)]);
  }

  return { host: `${host}:${port}`, writes: () => writes, goAtNextWrite: () => void (isGoing = true) };
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const text = (value: string) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
const list = (all: readonly Buffer[]) => Buffer.concat([int32(all.length), ...all]);

/** Texts behind their count, which is negative for `all that there are`. */
function textsOf(bytes: Buffer): string[] {
  const all: string[] = [];
  for (let at = 4; all.length < bytes.readInt32BE();) {
    const end = at + 2 + bytes.readInt16BE(at);
    all.push(bytes.toString('utf8', at + 2, end));
    at = end;
  }
  return all;
}
