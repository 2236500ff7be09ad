// Publishes into the embedded database: an event and a delivery for each endpoint of its topic are stored,
// and only then is there an event. All publications of a transaction share its fate (transactions.ts): they
// become events in their order and go to the dispatcher, or the hub drops their drafts, their numbers are
// given again, and nobody has counted them. What the slow policy decides for an endpoint that is too far
// behind belongs to the same transaction.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import { fitsBehind, noRoom, pendingMost } from '../../../core/policy/webhook/room.ts';
import type { ServerLimits } from '../../../core/scenario/scenario.ts';
import type { Counters } from '../../../core/result/counters.ts';
import { fingerprintOf, keyReused, keyStaysMs } from '../../http/idempotency.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Publish } from '../../pattern.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { Dispatcher } from '../sending/dispatcher.ts';
import type { Timers } from '../sending/timers.ts';
import type { DeliveryDatabase } from './database.ts';
import type { Applied, SqliteEndpoints } from './endpoints.ts';

/** A message whose deliveries are written, for the dispatcher to hear of once they are stored. */
export type Kept = {
  message: Message;
  nowMs: number;
  rows: { id: number; key: number; isPending: boolean }[];
};

export type SqlitePublisher = {
  /**
   * @throws TooManyTopics; RequestError 503 when the database did not take it: then there is no such event;
   *   422 when the key stands for another one
   */
  publish: Publish;
  /** Writes a message's deliveries, within a unit of the database. */
  keep(message: Message, receivers: readonly WebhookEndpoint[]): Kept;
  /** Hands them to the dispatcher. */
  dispatch(kept: Kept): void;
};

export type SqlitePublisherOptions = {
  hub: Hub;
  database: DeliveryDatabase;
  dispatcher: Dispatcher;
  timers: Timers;
  endpoints: Pick<SqliteEndpoints, 'byKey' | 'disabling'>;
  limits: Pick<ServerLimits, 'slow' | 'slowBuffer'>;
  counters: Counters;
  /** Called for each delivery that is settled as it comes, for a disabled endpoint. */
  countSettled: () => void;
};

/** What the publications of one transaction have decided so far. */
type Batch = {
  /** Pending for an endpoint, those of the transaction among them. */
  readonly bytes: Map<number, number>;
  /** Deliveries that a later one has replaced. */
  readonly replaced: Set<number>;
  readonly applied: Applied[];
};

export function createSqlitePublisher(options: SqlitePublisherOptions): SqlitePublisher {
  const { hub, database, timers, endpoints } = options;
  let batch: Batch | undefined;

  function end(isStored: boolean): void {
    const ended = batch;
    batch = undefined;
    if (isStored) {
      hub.take();
      for (const { done } of ended?.applied ?? []) done();
    } else {
      hub.drop();
      for (const { undo } of ended?.applied.toReversed() ?? []) undo();
    }
  }

  const publish: Publish = async (topic, body, stamps, { key } = {}) => {
    // A repeat that comes while the first is under way waits for it in
    // servers/http/idempotency.ts, and does not come here.
    const sinceMs = timers.nowMs() - keyStaysMs;
    const fingerprint = key === undefined ? '' : fingerprintOf(topic, body);
    const before = key === undefined ? undefined : database.keyed(key, sinceMs);
    if (before) {
      if (before.fingerprint !== fingerprint) throw keyReused(key!); // there is one
      return { id: before.id, seq: before.seq };
    }
    let kept: Kept | undefined;
    let replaced: ReadonlySet<number> | undefined;
    const { id, seq, json } = hub.draft(topic, body, stamps, () => {
      if (kept) dispatch(options, kept, replaced); // it has been written before the hub takes it
    });
    await database.submit('publication', {
      work() {
        const now = (batch ??= { bytes: new Map(), replaced: new Set(), applied: [] });
        const message: Message = { id, topic, body: json, bodyBytes: Buffer.byteLength(json) };
        const followers = hub.followers(topic) as WebhookEndpoint[]; // nobody else subscribes to this hub
        const receivers = followers.filter(
          (endpoint) =>
            endpoints.byKey(endpoint.stored.key) === endpoint && hasRoom(options, endpoint, message, now),
        );
        replaced = now.replaced;
        kept = keep(options, message, receivers);
        if (key !== undefined) database.keepKey(key, { fingerprint, id, seq }, timers.nowMs(), sinceMs);
      },
      done: () => end(true),
      undo: () => end(false),
    });
    return { id, seq };
  };

  return {
    publish,
    keep: (message, receivers) => keep(options, message, receivers),
    dispatch: (kept) => dispatch(options, kept),
  };
}

/** The policy for an endpoint that is too far behind. */
function hasRoom(
  { database, dispatcher, timers, endpoints, limits, counters }: SqlitePublisherOptions,
  endpoint: WebhookEndpoint,
  { bodyBytes }: Message,
  { bytes, replaced, applied }: Batch,
): boolean {
  const { key } = endpoint.stored;
  const count = (what: () => void): void => void applied.push({ done: what, undo() {} });
  if (endpoint.disabled !== undefined) return true;
  if (database.pending() >= pendingMost) {
    count(() => counters.slowDrops++);
    return false;
  }
  const fits = (): boolean => {
    const before = bytes.get(key) ?? dispatcher.queue(key)?.bytes ?? 0;
    if (!fitsBehind(before, bodyBytes, limits.slowBuffer)) return false;
    bytes.set(key, before + bodyBytes);
    return true;
  };
  if (fits()) return true;
  if (noRoom[limits.slow] === 'disable') {
    const lost = database.backlog(key).pending + 1;
    count(() => {
      counters.slowDisconnects++;
      counters.slowDrops += lost;
    });
    applied.push(endpoints.disabling(endpoint, `more than ${limits.slowBuffer} bytes behind`));
    return true;
  }
  if (noRoom[limits.slow] === 'coalesce') {
    const underWay = dispatcher.queue(key)?.underWay ?? new Set<number>();
    const gone = database.cancel(key, timers.nowMs(), underWay, true);
    for (const id of gone) replaced.add(id);
    bytes.set(key, database.backlog(key).bytes);
    count(() => {
      dispatcher.drop(key, gone);
      counters.slowDrops += gone.length;
    });
  }
  if (fits()) return true;
  count(() => counters.slowDrops++);
  return false;
}

function keep(
  { database, timers }: SqlitePublisherOptions,
  message: Message,
  receivers: readonly WebhookEndpoint[],
): Kept {
  const nowMs = timers.nowMs();
  const rows = receivers.map(({ stored: { key }, disabled }) => ({
    id: 0,
    key,
    isPending: disabled === undefined,
  }));
  if (rows.length === 0) return { message, nowMs, rows };
  const ids = database.publish(
    message,
    rows.map(({ key, isPending }) => ({ key, state: isPending ? 'pending' : 'cancelled' })),
    nowMs,
  );
  rows.forEach((row, i) => (row.id = ids[i]!)); // one for each
  return { message, nowMs, rows };
}

function dispatch(
  { dispatcher, countSettled }: SqlitePublisherOptions,
  { message, nowMs, rows }: Kept,
  replaced?: ReadonlySet<number>,
): void {
  for (const { id, key, isPending } of rows) {
    if (!isPending) countSettled();
    else if (!replaced?.has(id)) dispatcher.add(key, id, message, nowMs);
  }
}
