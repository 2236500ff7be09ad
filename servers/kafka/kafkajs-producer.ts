// Writes with KafkaJS, and says of what failed whether it may be there. KafkaJS itself does not: when an
// answer is lost, it connects again before it fails, and if that is refused, its error speaks of nothing
// else. So the requests to write are counted as they leave.

import { connect } from 'node:net';
import { Partitioners, type ISocketFactory, type TopicMessages } from 'kafkajs';
import { briefly, causesOf, newKafka, whyOf } from './kafkajs-client.ts';
import { KafkaWriteError } from './topic.ts';

export type KafkaProducer = {
  /** @throws what keeps Kafka from answering */
  connect(): Promise<void>;
  /**
   * Resolves when all replicas that are in step have the messages.
   * @throws KafkaWriteError
   */
  write(topicMessages: TopicMessages[]): Promise<void>;
  /** Waits a moment for what is being written. */
  close(): Promise<void>;
};

/** As KafkaJS has it. */
const keepAliveMs = 60_000;
/** What the protocol calls a request to write, behind the length of the request. */
const produce = { key: 0, atByte: 4 };
const tooLarge = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

/**
 * @param host `host:port` of a broker, which names the others
 * @param withinMs how long an answer may take
 */
export function createProducer(host: string, withinMs: number): KafkaProducer {
  /** Requests to write that have left. */
  let requests = 0;
  const socketFactory = watchingSockets(() => requests++);
  const producer = newKafka(host, withinMs, { socketFactory }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    // The caller decides what is tried again; a write that got no answer may have come.
    retry: { retries: 0 },
  });
  return {
    connect: () => producer.connect(),
    async write(topicMessages) {
      const before = requests;
      try {
        await producer.sendBatch({ acks: -1, timeout: withinMs, topicMessages });
      } catch (error) {
        // One of another write that left meanwhile counts too: then more is unknown than has to be.
        throw writeErrorOf(error, requests > before);
      }
    },
    close: () => briefly(producer.disconnect()),
  };
}

type Done = (error?: Error | null) => void;

/** Makes sockets as KafkaJS does. @param tell is called for each request to write that leaves through them */
function watchingSockets(tell: () => void): ISocketFactory {
  return ({ host, port, onConnect }) => {
    const socket = connect({ host, port }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    const write = socket.write.bind(socket);
    // KafkaJS writes each request as a whole.
    socket.write = (bytes: Uint8Array | string, how?: BufferEncoding | Done, done?: Done) => {
      if (Buffer.isBuffer(bytes) && bytes.readInt16BE(produce.atByte) === produce.key) tell();
      return typeof how === 'function' ? write(bytes, how) : write(bytes, how, done);
    };
    return socket;
  };
}

/** @param hasLeft whether a request to write has left */
function writeErrorOf(error: unknown, hasLeft: boolean): KafkaWriteError {
  const all = causesOf(error);
  const large = all.find(({ type = '' }) => tooLarge.includes(type));
  if (large) return new KafkaWriteError('refused', large.message);
  const nobody = all.some(({ name, code }) => name === 'KafkaJSConnectionError' && code === 'ECONNREFUSED');
  return new KafkaWriteError(nobody && !hasLeft ? 'away' : 'unknown', whyOf(error));
}
