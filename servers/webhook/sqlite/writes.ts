// Writes into the embedded database: endpoints, events with their deliveries, outcomes. Within a unit of
// transactions.ts a write is part of the unit; outside of a unit it is a record.

import type { Message, Task } from '../../../core/policy/webhook/delivery.ts';
import type { DeliveryState } from '../api.ts';
import type { AttemptRow, KeyedEvent, StoredEndpoint } from '../records.ts';
import { allOf, taskOf, type DatabaseParts, type TaskRecord } from './reads.ts';
import { stateNumbers } from './schema.ts';

const prunedKeysAtOnce = 2;

export type DatabaseWrites = {
  /** Adds it and gives it its key, or replaces the endpoint stored under its key. */
  saveEndpoint(endpoint: StoredEndpoint): void;
  /** Forgets it with its secrets at once. Its deliveries are listed until they are pruned. */
  removeEndpoint(key: number): void;

  /**
   * Keeps an event and a delivery for each endpoint.
   * @param state `cancelled` for an endpoint that is disabled: recovery sends it
   * @returns the deliveries' ids, in the order of the endpoints
   */
  publish(
    message: Message,
    endpoints: readonly { key: number; state: 'pending' | 'cancelled' }[],
    nowMs: number,
  ): number[];
  /** Keeps which event a key has made, and forgets some that are older than `sinceMs`. */
  keepKey(key: string, event: KeyedEvent, nowMs: number, sinceMs: number): void;
  /** Enters an attempt and the new state of its delivery: `pending` with the time of the next attempt. */
  settle(task: Task, attempt: AttemptRow, state: DeliveryState): void;

  /**
   * Cancels the pending deliveries of the endpoint, except those in `except` and, with `keepNewest`, the
   * newest of each topic.
   * @returns the ids of the cancelled ones
   */
  cancel(endpoint: number, nowMs: number, except: ReadonlySet<number>, keepNewest: boolean): number[];
  /**
   * Makes the delivery pending again, due at once.
   * @returns undefined when there is no such delivery or it is pending
   */
  replay(id: number, nowMs: number): Task | undefined;
  /** The same for exhausted and cancelled deliveries of events accepted within the time. @returns how many */
  recover(endpoint: number, sinceMs: number, untilMs: number, nowMs: number, limit: number): number;
};

/** The writing half of a `DeliveryDatabase`. */
export function writesOf(parts: DatabaseParts): DatabaseWrites {
  const { run, counts, record } = parts;
  return {
    saveEndpoint(endpoint) {
      // As it is now.
      const { key, id, config, createdMs, disabled = null, failures, failingSinceMs = null } = endpoint;
      record(() => {
        if (key === 0)
          endpoint.key = Number(
            run.addEndpoint.run(id, config, createdMs, disabled, failures, failingSinceMs).lastInsertRowid,
          );
        else run.saveEndpoint.run(config, disabled, failures, failingSinceMs, key);
      });
    },
    removeEndpoint(key) {
      record(() => {
        counts.dead -= deadOf(run, key); // nobody can replay them any more
        run.removeEndpoint.run(key);
        run.pruneEndpoint.run(key, key);
      });
    },

    publish({ id, topic, body, bodyBytes }, endpoints, nowMs) {
      let ids: number[] = [];
      record(() => {
        const event = Number(run.addEvent.run(id, topic, nowMs, body, bodyBytes).lastInsertRowid);
        ids = endpoints.map(({ key, state }) => {
          const isPending = state === 'pending';
          if (isPending) counts.pending++;
          run.addDelivery.run(
            ++counts.lastId,
            event,
            key,
            isPending ? stateNumbers.fresh : stateNumbers.cancelled,
            nowMs,
            isPending ? null : nowMs,
          );
          return counts.lastId;
        });
      });
      return ids;
    },
    keepKey(key, { fingerprint, id, seq }, nowMs, sinceMs) {
      record(() => {
        run.pruneKey.run(key, sinceMs);
        run.pruneKeys.run(sinceMs, prunedKeysAtOnce); // each makes room for more than itself
        run.addKey.run(key, fingerprint, id, seq, nowMs);
      });
    },
    settle({ id }, attempt, state) {
      const {
        attempt: number,
        atMs,
        latencyMs,
        status = null,
        failure = null,
        answer,
        truncated,
        nextMs = null,
      } = attempt;
      record(() => {
        run.addAttempt.run(id, number, atMs, latencyMs, status, failure, answer, truncated ? 1 : 0, nextMs);
        run.settle.run(
          stateOf(state),
          number,
          nextMs,
          state === 'pending' ? null : atMs + Math.round(latencyMs),
          status,
          failure,
          id,
        );
        if (state !== 'pending') counts.pending--;
        if (state === 'exhausted') counts.dead++;
      });
    },

    ...writesOfPending(parts),
  };
}

/** What changes which deliveries are pending, besides publishing and outcomes. */
function writesOfPending({
  run,
  counts,
  record,
}: DatabaseParts): Pick<DatabaseWrites, 'cancel' | 'replay' | 'recover'> {
  return {
    cancel(endpoint, nowMs, except, keepNewest) {
      let ids: number[] | undefined;
      record(() => {
        ids ??= cancellable(run, endpoint, except, keepNewest); // the same when it is written again
        for (const id of ids) counts.pending -= Number(run.cancel.run(nowMs, id).changes);
      });
      return ids ?? [];
    },
    replay(id, nowMs) {
      let task: Task | undefined;
      record(() => {
        const before = run.state.get(id) as { state: number } | undefined;
        if (run.replay.run(nowMs, id).changes === 0) return;
        counts.pending++;
        if (before?.state === stateNumbers.exhausted) counts.dead--;
        task = taskOf(run.task.get(id) as TaskRecord);
      });
      return task;
    },
    recover(endpoint, sinceMs, untilMs, nowMs, limit) {
      let recovered = 0;
      record(() => {
        const dead = deadOf(run, endpoint);
        recovered = Number(run.recover.run({ endpoint, sinceMs, untilMs, nowMs, limit }).changes);
        counts.pending += recovered;
        counts.dead -= dead - deadOf(run, endpoint);
      });
      return recovered;
    },
  };
}

/** Dead letters of one endpoint. */
function deadOf(run: DatabaseParts['run'], endpoint: number): number {
  return (run.deadOfEndpoint.get(endpoint) as { n: number }).n;
}

/** What is pending for the endpoint and may be cancelled. Empty where it cannot be read. */
function cancellable(
  run: DatabaseParts['run'],
  endpoint: number,
  except: ReadonlySet<number>,
  keepNewest: boolean,
): number[] {
  const found = [run.freshIds, run.waitingIds].flatMap((statement) =>
    allOf<{ id: number; topic: string }>(statement, endpoint),
  );
  const newest = new Map<string, number>();
  if (keepNewest) for (const { id, topic } of found) newest.set(topic, Math.max(id, newest.get(topic) ?? 0));
  return found.filter(({ id, topic }) => !except.has(id) && newest.get(topic) !== id).map(({ id }) => id);
}

/** A delivery that stays pending after an attempt has a time of its own. */
function stateOf(state: DeliveryState): number {
  return state === 'pending' ? stateNumbers.waiting : stateNumbers[state];
}
