// Connects servers through a stream of NATS JetStream. The stream numbers the events: a message's sequence is
// the event's offset, and the moment at which the stream was made stands for the epoch. A message is named by
// its publisher's key, and the stream takes a name once. How servers read it is jetstream-reader.ts.

import { jetstream, JetStreamApiError, type PubAck } from '@nats-io/jetstream';
import { RequestError as NatsRequestError } from '@nats-io/transport-node';
import { messageOf } from '../../core/base/errors.ts';
import { confirmWithinMs, createRoom, openInTime, takenWithinMs, type OpenBroker } from './broker.ts';
import { createDeadlines, type Outcome } from './deadlines.ts';
import { readStream, type StreamReader } from './jetstream-reader.ts';
import { openNatsLink } from './nats-link.ts';

export const openJetStream: OpenBroker = async (options) => {
  const { log, access } = options;
  const stream = access.name.replaceAll(/[^\w-]/g, '_');
  const subject = `${stream}.events`;
  let reader: StreamReader | undefined;
  const arrivals = createDeadlines<{ offset: number }>(takenWithinMs);
  const link = await openNatsLink(options, () => reader?.doubt());
  const { connection, refusals } = link;
  const makeRoom = createRoom(refusals);
  const client = jetstream(connection, { timeout: confirmWithinMs });

  async function close(): Promise<void> {
    reader?.close();
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
      if (!wasRefused(error)) throw refusals.unknown(why);
      reader?.doubt();
      throw refusals.away(why);
    } finally {
      free();
    }
  }

  /**
   * Waits for this server to take the event. An acknowledgement names no epoch, and the stream may have been
   * replaced since this server last looked.
   * @param end of the log as the event was sent
   * @returns whether its number is one of the epoch that the log had then, as far as anybody knows
   */
  async function isOf(epoch: string, end: number, { seq: offset, duplicate }: PubAck): Promise<boolean> {
    let outcome: Outcome = 'done';
    if (offset > log.end()) outcome = await new Promise((resolve) => arrivals.add({ offset }, resolve));
    if (log.epoch() !== epoch || !reader) return false;
    // A new event comes behind all that were there when it was sent. Where the stream had the event already,
    // or it does not arrive, only the stream itself can tell.
    if (!duplicate && offset > end && outcome === 'done') return true;
    if ((duplicate || offset > end) && (await reader.isSame())) return log.epoch() === epoch;
    reader.doubt();
    return false;
  }

  try {
    reader = await readStream({
      ...options,
      connection,
      isConnected: link.ready,
      stream,
      subject,
      moved: () => arrivals.doneWhile(({ offset }) => offset <= log.end()),
      replaced: () => arrivals.doneWhile(() => true),
    });
    const { begun, failure } = reader;
    await openInTime(begun, () => refusals.absent(failure()));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async publish(topic, body, { seq, ...stamps }, { key } = {}) {
      if (!link.ready()) throw refusals.away('there is no connection');
      if (!reader.isSure()) throw refusals.away('its stream is being looked for');
      log.admit(topic);
      const [epoch, end] = [log.epoch(), log.end()];
      const ack = await send(`${seq ?? 0} ${topic} ${log.encode(body, stamps)}`, key);
      if (!(await isOf(epoch, end, ack))) throw refusals.unknown('its stream has been replaced');
      const given = seq ?? log.seqAt(topic, ack.seq);
      if (given === undefined) throw refusals.unknown('its number in the topic is not known here');
      return { id: `${epoch}-${ack.seq}`, seq: given };
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
