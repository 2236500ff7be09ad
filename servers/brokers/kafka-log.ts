// Reads what comes from the partition that connects servers through Kafka into a server's log: numbers events
// in the order of the partition, drops second copies by their key, and starts over where the partition is
// another one or has lost its beginning.

import { epochOf } from '../hub/epoch.ts';
import type { BrokeredLog } from '../hub/broker.ts';
import type { Place } from '../hub/event.ts';
import type { KafkaMessage } from '../kafka/topic.ts';

/** The newest keys, by which a second copy is known. All servers keep as many, so all know the same. */
const keysKept = 100_000;

export type KafkaLog = {
  /** The offset in the partition that comes next. */
  next(): number;
  take(message: KafkaMessage): void;
};

/** What a message holds: `ORIGIN COUNT SEQ TOPIC REST`. */
export function encodeMessage(
  origin: string,
  count: number,
  seq: number | undefined,
  topic: string,
  rest: string,
): string {
  return `${origin} ${count} ${seq ?? 0} ${topic} ${rest}`;
}

/**
 * @param origin of this server: a message that holds it alone is its mark
 * @param told `marked`: the mark has come; `placed`: where the server's own event of this count is
 */
export function createKafkaLog(
  log: BrokeredLog,
  origin: string,
  told: { marked(): void; placed(count: number, place: Place): void },
): KafkaLog {
  const places = new Map<string, Place>();
  let next = 0;

  function begin(epoch: string): void {
    log.begin(epoch, 0);
    places.clear();
  }

  function remember(key: string, place: Place): void {
    places.set(key, place);
    if (places.size > keysKept) places.delete(places.keys().next().value!); // the oldest; there is one
  }

  function takeEvent(key: string | undefined, value: string): void {
    const ends = [0, 0, 0, 0];
    for (let i = 0, from = 0; i < ends.length; i++) from = (ends[i] = value.indexOf(' ', from)) + 1;
    const [toCount, toSeq, toTopic, toRest] = ends as [number, number, number, number];
    const seq = Number(value.slice(toSeq + 1, toTopic));
    const before = key === undefined ? undefined : places.get(key);
    const event =
      before ??
      log.receive({
        offset: log.end() + 1,
        topic: value.slice(toTopic + 1, toRest),
        seq: seq === 0 ? undefined : seq,
        rest: value.slice(toRest + 1),
      });
    if (!event) return;
    const place = { id: event.id, seq: event.seq };
    if (key !== undefined && !before) remember(key, place);
    if (value.slice(0, toCount) === origin) told.placed(Number(value.slice(toCount + 1, toSeq)), place);
  }

  return {
    next: () => next,
    take({ offset, key, value }) {
      // The first message says which partition it is.
      if (offset === 0 && (next === 0 || epochOf(value) !== log.epoch())) begin(epochOf(value));
      else if (offset < next) return;
      // Nobody knows how many events were between, so no cursor from before means anything.
      else if (offset > next) begin(epochOf(`${log.epoch()} ${offset} ${value}`));
      next = offset + 1;
      if (value === origin) told.marked();
      if (value.includes(' ')) takeEvent(key, value);
    },
  };
}
