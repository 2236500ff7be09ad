// Connects servers through Redis' publish and subscribe. One script numbers an event and sends it to all
// subscribed servers, so they all see one order. Redis keeps nothing: a server misses what is published while
// it is not subscribed, and its log moves on. To find out how much that is, it asks Redis for the present
// offset whenever it has subscribed, and when it has heard nothing for a while; the answer comes on the
// channel, after everything that was published before.

import type { Redis } from 'ioredis';
import { openInTime, quietMs, type OpenBroker } from './broker.ts';
import { openRedisLink, openRedisNumbers } from './redis.ts';

/** A channel that says nothing for so long, though it is asked, is subscribed to again. */
const deafMs = 3 * quietMs;

export const openRedisPubSub: OpenBroker = async (options) => {
  const { log, access } = options;
  const begun = Promise.withResolvers<void>();
  let isBegun = false;
  /** Whether events come: this server would not get its own otherwise. */
  let isListening = false;
  let heardMs = performance.now();
  let closed = false;

  /** `EPOCH OFFSET` says where the log is; with `SEQ TOPIC REST` behind it, it is an event. */
  function hear(message: string): void {
    const toOffset = message.indexOf(' ') + 1;
    const toSeq = message.indexOf(' ', toOffset) + 1;
    const epoch = message.slice(0, toOffset - 1);
    const offset = Number(message.slice(toOffset, toSeq === 0 ? undefined : toSeq - 1));
    if (!Number.isSafeInteger(offset)) return; // somebody else's
    heardMs = performance.now();
    isListening = true;
    const isEvent = toSeq > 0;
    if (!isBegun) {
      if (isEvent) return; // it is known soon what came before
      isBegun = true;
      log.begin(epoch, offset);
      return begun.resolve();
    }
    if (epoch !== log.epoch()) log.begin(epoch, 0); // Redis came back without what it had
    if (!isEvent) {
      if (offset > log.end()) log.skipTo(offset, offset - log.end());
      return;
    }
    const toTopic = message.indexOf(' ', toSeq) + 1;
    const toRest = message.indexOf(' ', toTopic) + 1;
    log.receive({
      offset,
      seq: Number(message.slice(toSeq, toTopic - 1)),
      topic: message.slice(toTopic, toRest - 1),
      rest: message.slice(toRest),
    });
  }

  async function listen(): Promise<void> {
    if (closed || !listening.ready() || !numbers.ready()) return;
    heardMs = performance.now();
    await (listening.redis as Redis).subscribe(numbers.channel);
    await numbers.sync();
  }
  // What fails now is tried again with the next connection, or by the watch.
  const tryToListen = (): void => void listen().catch(() => {});

  const numbers = openRedisNumbers(options, 'to-channel', (ready) => ready && tryToListen());
  const listening = openRedisLink(access.url, (ready) => {
    isListening = false;
    if (ready) tryToListen();
  });
  listening.redis.on('message', (_channel, message: string) => hear(message));
  const watch = setInterval(() => {
    const silentMs = performance.now() - heardMs;
    if (silentMs < quietMs || !listening.ready() || !numbers.ready()) return;
    if (silentMs > deafMs) {
      heardMs = performance.now();
      listening.redis.disconnect(true);
    } else void numbers.sync().catch(() => {});
  }, quietMs / 2);

  async function close(): Promise<void> {
    closed = true;
    clearInterval(watch);
    listening.close();
    numbers.close();
  }

  try {
    await openInTime(begun.promise, () => numbers.refusals.absent('it does not answer'));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async publish(topic, body, { seq, ...stamps }, { key } = {}) {
      if (closed) throw numbers.refusals.away('the server is closing');
      if (!isListening) throw numbers.refusals.away('its channel is not listened to');
      log.admit(topic);
      const { id, seq: given } = await numbers.publish(topic, log.encode(body, stamps), seq, key);
      return { id, seq: given };
    },
    close,
  };
};
