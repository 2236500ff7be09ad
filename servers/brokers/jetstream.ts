// Connects servers through a stream of NATS JetStream. The stream numbers the events: a message's sequence is
// the event's offset, and the moment at which the stream was made stands for the epoch. Each server reads on
// from the end of its own log, so one that was away, or that starts, fetches what it has missed, as far back
// as the stream reaches. A message is named by its publisher's key, and the stream takes a name once.

import {
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type ConsumerMessages,
  type JsMsg,
  type PubAck,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos, RequestError as NatsRequestError } from '@nats-io/transport-node';
import { messageOf } from '../../core/base/errors.ts';
import {
  confirmWithinMs,
  createRoom,
  keptBy,
  keyStaysMs,
  leftStaysMs,
  openInTime,
  quietMs,
  takenWithinMs,
  type OpenBroker,
} from './broker.ts';
import { createDeadlines } from './deadlines.ts';
import { epochOf } from './epoch.ts';
import { openNatsLink } from './nats-link.ts';

/** Messages that are on their way to a server at the most. */
const batchMost = 500;

export const openJetStream: OpenBroker = async (options) => {
  const { log, access } = options;
  const stream = access.name.replaceAll(/[^\w-]/g, '_');
  const subject = `${stream}.events`;
  const begun = Promise.withResolvers<void>();
  /** The offset up to which a server that starts reads before it is there; undefined before that is known. */
  let beginsAt: number | undefined;
  /** Of the stream that is read. */
  let created = '';
  /** The server asks whether the stream is still the one that it reads, and reads on anew. */
  let isDoubtful = true;
  let isLooking = false;
  let heardMs = performance.now();
  let lastFailure = 'it does not answer';
  let reading: ConsumerMessages | undefined;
  /** What a reader before the present one still brings is not taken. */
  let reader = 0;
  const arrivals = createDeadlines<{ offset: number }>(takenWithinMs);
  const link = await openNatsLink(options, (ready) => {
    isDoubtful = true;
    if (ready) watchStream();
  });
  const { connection, refusals } = link;
  const makeRoom = createRoom(refusals);
  const client = jetstream(connection, { timeout: confirmWithinMs });
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: confirmWithinMs });

  function findStream(): Promise<StreamInfo> {
    const { events, bytes } = keptBy(options.limits);
    // One that is there with the same settings is as good as new.
    return manager.streams.add({
      name: stream,
      subjects: [subject],
      max_msgs: events,
      max_bytes: bytes,
      max_age: nanos(leftStaysMs),
      duplicate_window: nanos(keyStaysMs),
      discard: DiscardPolicy.Old,
    });
  }

  function settle(): void {
    arrivals.doneWhile(({ offset }) => offset <= log.end());
    if (beginsAt !== undefined && log.end() >= beginsAt) begun.resolve();
  }

  function take(message: JsMsg): void {
    heardMs = performance.now();
    const text = message.string(); // SEQ TOPIC REST
    const toTopic = text.indexOf(' ');
    const toRest = text.indexOf(' ', toTopic + 1);
    if (toRest < 0) return; // somebody else's
    const given = Number(text.slice(0, toTopic));
    log.receive({
      offset: message.seq,
      topic: text.slice(toTopic + 1, toRest),
      seq: given === 0 ? undefined : given,
      rest: text.slice(toRest + 1),
    });
    settle();
  }

  async function readOn(): Promise<void> {
    const mine = ++reader;
    await reading?.close();
    const consumer = await client.consumers.get(stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: log.end() + 1,
    });
    reading = await consumer.consume({
      max_messages: batchMost,
      callback: (message) => {
        if (mine === reader) take(message);
      },
    });
  }

  function compare({ created: made, state }: StreamInfo, endBefore: number): void {
    const { last_seq: last, first_seq: first, messages } = state;
    if (beginsAt === undefined) {
      beginsAt = last;
      log.begin(epochOf(made), messages > 0 ? first - 1 : last);
      isDoubtful = true;
    } else if (made !== created || last < endBefore) {
      // It was made anew, or went back behind what is here: the same numbers are other events now.
      log.begin(epochOf(made === created ? `${made} ${last} ${log.epoch()}` : made), 0);
      arrivals.doneWhile(() => true);
      isDoubtful = true;
    }
    created = made;
    if (messages === 0 && last > log.end()) log.skipTo(last, last - log.end());
    if (last > endBefore) isDoubtful = true; // something is on its way, or does not come
  }

  async function look(): Promise<void> {
    const endBefore = log.end();
    compare(await findStream(), endBefore);
    heardMs = performance.now();
    if (!isDoubtful) return;
    await readOn();
    isDoubtful = false;
    settle();
  }

  function watchStream(): void {
    if (isLooking || !link.ready()) return;
    if (!isDoubtful && performance.now() - heardMs < quietMs) return;
    isLooking = true;
    void look()
      .catch((error: unknown) => {
        isDoubtful = true;
        lastFailure = messageOf(error).slice(0, 200);
      })
      .finally(() => (isLooking = false));
  }
  const watch = setInterval(watchStream, quietMs / 10);
  watchStream();

  async function close(): Promise<void> {
    clearInterval(watch);
    arrivals.end();
    await link.close();
  }

  async function send(text: string, key: string | undefined): Promise<PubAck> {
    const payload = link.payload(text);
    const named = key === undefined ? {} : { msgID: key };
    const free = makeRoom(payload.length);
    try {
      return await client.publish(subject, payload, { timeout: confirmWithinMs, ...named });
    } catch (error) {
      const why = messageOf(error).slice(0, 200);
      if (wasRefused(error)) {
        isDoubtful = true;
        throw refusals.away(why);
      }
      throw refusals.unknown(why);
    } finally {
      free();
    }
  }

  try {
    await openInTime(begun.promise, () => refusals.absent(lastFailure));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async publish(topic, body, { seq, ...stamps }, { key } = {}) {
      if (!link.ready()) throw refusals.away('there is no connection');
      if (isDoubtful) throw refusals.away('its stream is being looked for');
      log.admit(topic);
      const { seq: offset } = await send(`${seq ?? 0} ${topic} ${log.encode(body, stamps)}`, key);
      if (offset > log.end()) await new Promise<unknown>((resolve) => arrivals.add({ offset }, resolve));
      const given = seq ?? log.seqAt(topic, offset);
      if (given === undefined) throw refusals.unknown('its number in the topic is not known here');
      return { id: `${log.epoch()}-${offset}`, seq: given };
    },
    close,
  };
};

/** Whether the server said that it did not take a message, or nobody was there to take it. */
function wasRefused(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return true;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof NatsRequestError && cause.isNoResponders();
}
