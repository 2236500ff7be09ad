// Connects servers through a subject of NATS. NATS has no order of all events and keeps none: each server
// numbers them in the order in which they come to it, under an epoch of its own, so the servers' cursors mean
// nothing to one another. Each server counts what it sends, which tells the others how many they lack.
//
// An event is confirmed when it has come back to the server that sent it: NATS had it then.

import { randomUUID } from 'node:crypto';
import type { Msg } from '@nats-io/transport-node';
import type { Place } from '../hub/event.ts';
import { confirmWithinMs, createRoom, openInTime, type OpenBroker } from './broker.ts';
import { createDeadlines } from './deadlines.ts';
import { openNatsLink } from './nats-link.ts';

/** Servers whose count is remembered; each start of a server is one more. */
const originsKept = 1000;

export const openNats: OpenBroker = async (options) => {
  const { log, access } = options;
  const subject = `${access.name.replaceAll(/[^\w-]/g, '_')}.events`;
  const own = randomUUID();
  let sent = 0;
  const placed = new Map<number, Place>();
  /** The newest count of each server that was heard of. */
  const counts = new Map<string, number>();
  const waiting = createDeadlines<number>(confirmWithinMs);
  const link = await openNatsLink(options, (ready) => {
    // Events may have been missed while there was no connection. How many shows with the next event of each
    // server, by its count; until then a gap of unknown size makes older cursors too late.
    if (ready) log.skipTo(log.end() + 1, 0);
  });
  const makeRoom = createRoom(link.refusals);

  function hear(error: Error | null, message: Msg): void {
    if (error) return;
    // ORIGIN COUNT SEQ TOPIC REST
    const text = message.string();
    const ends = [0, 0, 0, 0];
    for (let i = 0, from = 0; i < ends.length; i++) from = (ends[i] = text.indexOf(' ', from)) + 1;
    const [toCount, toSeq, toTopic, toRest] = ends as [number, number, number, number];
    if (toRest < 0) return; // somebody else's
    const origin = text.slice(0, toCount);
    const count = Number(text.slice(toCount + 1, toSeq));
    const given = Number(text.slice(toSeq + 1, toTopic));
    const before = counts.get(origin);
    counts.delete(origin); // and set again: a Map keeps the order of insertion, so the oldest comes first
    counts.set(origin, count);
    if (counts.size > originsKept) counts.delete(counts.keys().next().value!);
    if (before !== undefined && count > before + 1)
      log.skipTo(log.end() + count - before - 1, count - before - 1);
    const event = log.receive({
      offset: log.end() + 1,
      topic: text.slice(toTopic + 1, toRest),
      seq: given === 0 ? undefined : given,
      rest: text.slice(toRest + 1),
    });
    if (origin !== own || !event) return;
    placed.set(count, event); // for who waits, who is called within `done`
    waiting.done(count);
    placed.delete(count);
  }

  link.connection.subscribe(subject, { callback: hear });
  try {
    await openInTime(link.connection.flush(), () => link.refusals.absent('it does not answer'));
  } catch (error) {
    await link.close();
    throw error;
  }

  return {
    async publish(topic, body, { seq, ...stamps }) {
      if (!link.ready()) throw link.refusals.away('there is no connection');
      log.admit(topic);
      const rest = log.encode(body, stamps);
      const free = makeRoom(rest.length);
      try {
        const count = sent + 1;
        const payload = link.payload(`${own} ${count} ${seq ?? 0} ${topic} ${rest}`);
        link.connection.publish(subject, payload);
        sent = count;
        return await new Promise<Place>((resolve, reject) => {
          waiting.add(count, (outcome) => {
            const event = placed.get(count);
            if (event) resolve({ id: event.id, seq: event.seq });
            else
              reject(link.refusals.unknown(outcome === 'late' ? 'it says nothing' : 'the server is closing'));
          });
        });
      } finally {
        free();
      }
    },
    async close() {
      waiting.end();
      await link.close();
    },
  };
};
