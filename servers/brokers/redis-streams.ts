// Connects servers through a stream in Redis. One script numbers an event and puts it into the stream, under
// its offset; each server reads on from the end of its own log, many events at a time, and waits in Redis for
// the next. So a server that was away, or that starts, fetches the events that it missed, as far back as the
// stream reaches.

import { setTimeout as sleep } from 'node:timers/promises';
import { confirmWithinMs, openInTime, quietMs, takenWithinMs, type OpenBroker } from './broker.ts';
import { createDeadlines } from './deadlines.ts';
import { openRedisLink, openRedisNumbers, type Ends } from './redis.ts';

/** Events that are fetched at once at most. */
const batchMost = 500;
/** Between two tries to go on where the stream cannot be read. */
const againMs = 50;

type Entry = [id: string, fields: [string, string]];

export const openRedisStreams: OpenBroker = async (options) => {
  const { log, access } = options;
  const begun = Promise.withResolvers<void>();
  /** The end of the log that this server begins with; undefined before it is known. */
  let beginsAt: number | undefined;
  /** Redis has to be asked whether this is still the same stream. */
  let isDoubtful = true;
  let closed = false;
  let wake = () => {};
  const arrivals = createDeadlines<{ offset: number }>(takenWithinMs);
  /** Whether Redis still has the log that this server has, as far as anybody knows. */
  let isSame = false;
  const numbers = openRedisNumbers(options, 'to-stream', (ready) => {
    isSame = false;
    if (ready) void numbers.sync().then(compare, () => {}); // who reads asks again
    wake();
  });
  const reading = openRedisLink(access.url, () => {
    isDoubtful = true;
    wake();
  });

  function compare({ epoch, offset, oldest }: Ends): void {
    isDoubtful = false;
    isSame = numbers.ready();
    if (beginsAt === undefined) {
      beginsAt = offset;
      log.begin(epoch, oldest > 0 ? oldest - 1 : offset);
    } else if (epoch !== log.epoch()) {
      log.begin(epoch, 0); // Redis came back without what it had
      arrivals.doneWhile(() => true);
    }
    if (oldest === 0 && offset > log.end()) log.skipTo(offset, offset - log.end());
  }

  function take([id, [, entry]]: Entry): void {
    const toSeq = entry.indexOf(' ') + 1;
    const toTopic = entry.indexOf(' ', toSeq) + 1;
    const toRest = entry.indexOf(' ', toTopic) + 1;
    if (entry.slice(0, toSeq - 1) !== log.epoch()) {
      isDoubtful = true;
      return;
    }
    log.receive({
      offset: Number(id.slice(0, id.indexOf('-'))),
      seq: Number(entry.slice(toSeq, toTopic - 1)),
      topic: entry.slice(toTopic, toRest - 1),
      rest: entry.slice(toRest),
    });
  }

  async function readOn(): Promise<void> {
    if (isDoubtful) compare(await numbers.sync());
    if (beginsAt !== undefined && log.end() >= beginsAt) begun.resolve();
    const [stream, from] = [numbers.stream, `${log.end()}-0`];
    const found = await reading.ask(
      (redis) => redis.xread('COUNT', batchMost, 'BLOCK', quietMs, 'STREAMS', stream, from),
      quietMs + confirmWithinMs,
    );
    if (!found) return void (isDoubtful = true); // nothing new; or it is another stream by now
    for (const entry of found[0]![1] as Entry[]) {
      take(entry);
      if (isDoubtful) return;
    }
    arrivals.doneWhile(({ offset }) => offset <= log.end());
  }

  async function readAll(): Promise<void> {
    while (!closed) {
      if (!reading.ready() || !numbers.ready()) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
        continue;
      }
      try {
        await readOn();
      } catch {
        isDoubtful = true;
        if (!closed) await sleep(againMs);
      }
    }
  }

  const over = readAll();

  async function close(): Promise<void> {
    closed = true;
    arrivals.end();
    reading.close();
    numbers.close();
    wake();
    await over;
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
      if (!isSame) throw numbers.refusals.away(numbers.ready() ? 'it is being asked' : 'no connection');
      log.admit(topic);
      const given = await numbers.publish(topic, log.encode(body, stamps), seq, key);
      const { id, seq: number, epoch, offset } = given;
      if (epoch === log.epoch() && offset > log.end())
        await new Promise<unknown>((resolve) => arrivals.add({ offset }, resolve));
      return { id, seq: number };
    },
    close,
  };
};
