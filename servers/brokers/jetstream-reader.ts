// Reads a stream of NATS JetStream into a server's log: from the end of the log on, however long the server
// was away, and from the beginning again when the stream has become another one.

import {
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { messageOf } from '../../core/base/errors.ts';
import {
  confirmWithinMs,
  keptBy,
  brokerKeyStaysMs,
  leftStaysMs,
  quietMs,
  type BrokerOptions,
} from './broker.ts';
import { epochOf } from '../hub/epoch.ts';

/** Messages that are on their way to a server at most. */
const batchMost = 500;

export type StreamReader = {
  /** Resolves when the log has all that was in the stream as the server began. */
  readonly begun: Promise<void>;
  /** Whether the log is a copy of the stream as it is now, as far as anybody knows. */
  isSure(): boolean;
  /** Asks whether the log is still a copy of this stream; false where the server does not answer. */
  isSame(): Promise<boolean>;
  /** Something is wrong with the stream: it is looked for, now or when there is a connection. */
  doubt(): void;
  /** Why the stream could not be read the last time. */
  failure(): string;
  close(): void;
};

export type ReaderOptions = BrokerOptions & {
  connection: NatsConnection;
  isConnected: () => boolean;
  stream: string;
  subject: string;
  /** Called when the log has moved on. */
  moved: () => void;
  /** Called when another log has begun. */
  replaced: () => void;
};

export async function readStream(options: ReaderOptions): Promise<StreamReader> {
  const { log, connection, isConnected, stream, moved, replaced } = options;
  const begun = Promise.withResolvers<void>();
  /** The offset up to which a server that starts reads before it is there; undefined before that is known. */
  let beginsAt: number | undefined;
  /** When the stream that is read was made. */
  let created = '';
  let isDoubtful = true;
  let isLooking = false;
  let heardMs = performance.now();
  let lastFailure = 'it does not answer';
  let reading: ConsumerMessages | undefined;
  /** Counts the consumers that were made: what one before the newest still brings is not taken. */
  let reader = 0;
  const client = jetstream(connection, { timeout: confirmWithinMs });
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: confirmWithinMs });

  function settle(): void {
    moved();
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

  /** @returns whether it is to be read again */
  function compare({ created: made, state }: StreamInfo, endBefore: number): boolean {
    const { last_seq: last, first_seq: first, messages } = state;
    const isFirst = beginsAt === undefined;
    const wentBack = !isFirst && (made !== created || last < endBefore);
    if (isFirst) {
      beginsAt = last;
      log.begin(epochOf(made), messages > 0 ? first - 1 : last);
    } else if (wentBack) {
      // The stream was made again, or lost its newest events: the same numbers are other events now.
      log.begin(epochOf(made === created ? `${made} ${last} ${log.epoch()}` : made), 0);
      replaced();
    }
    created = made;
    if (messages === 0 && last > log.end()) log.skipTo(last, last - log.end());
    // The stream has more than was read before it was asked: the consumer may have been lost with its server.
    return isFirst || wentBack || last > endBefore;
  }

  async function look(): Promise<void> {
    const endBefore = log.end();
    const isOther = compare(await findStream(manager, options), endBefore);
    heardMs = performance.now();
    if (isDoubtful || isOther) await readOn();
    isDoubtful = false;
    settle();
  }

  function watch(): void {
    if (isLooking || !isConnected()) return;
    if (!isDoubtful && performance.now() - heardMs < quietMs) return;
    isLooking = true;
    void look()
      .catch((error: unknown) => {
        isDoubtful = true;
        lastFailure = messageOf(error).slice(0, 200);
      })
      .finally(() => (isLooking = false));
  }
  const timer = setInterval(watch, quietMs / 10);
  watch();

  return {
    begun: begun.promise,
    isSure: () => !isDoubtful,
    async isSame() {
      try {
        const { created: made, state } = await manager.streams.info(stream);
        return made === created && state.last_seq >= log.end();
      } catch {
        return false;
      }
    },
    doubt() {
      isDoubtful = true;
      watch();
    },
    failure: () => lastFailure,
    close: () => clearInterval(timer),
  };
}

/** What NATS gives as the time at which a stream was made that it is still making, for somebody else. */
const notMadeYet = '0001-01-01T00:00:00Z';

/**
 * Makes the stream where it is not there: one with the same settings is left as it is.
 * @throws Error when it does not answer, or another server has the stream made at this moment
 */
async function findStream(
  manager: JetStreamManager,
  { stream, subject, limits }: ReaderOptions,
): Promise<StreamInfo> {
  const { events, bytes } = keptBy(limits);
  const found = await manager.streams.add({
    name: stream,
    subjects: [subject],
    max_msgs: events,
    max_bytes: bytes,
    max_age: nanos(leftStaysMs),
    duplicate_window: nanos(brokerKeyStaysMs),
    discard: DiscardPolicy.Old,
  });
  // Taken for its time, it would be an epoch that no other server has.
  if (found.created === notMadeYet) throw new Error('the stream is being made');
  return found;
}
