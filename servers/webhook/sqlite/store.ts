// Keeps endpoints, events and deliveries in the embedded database, in a file or in memory, for one server:
// publisher.ts takes events in, endpoints.ts holds who gets them, and our own dispatcher decides when each
// attempt is made.

import type { PatternOptions } from '../../../core/pattern/registry.ts';
import type { ServerBacklog } from '../../../core/protocol/control.ts';
import { endpointLimits } from '../../../core/policy/webhook/endpoint-queue.ts';
import { schemes } from '../../../core/signature/schemes.ts';
import type { PatternContext } from '../../pattern.ts';
import { enabledOf } from '../endpoints.ts';
import { createDispatcher, type Dispatcher } from '../sending/dispatcher.ts';
import type { Timers } from '../sending/timers.ts';
import type { Store, StoreHandlers } from '../store.ts';
import type { DeliveryDatabase } from './database.ts';
import { createSqliteEndpoints, type SqliteEndpoints } from './endpoints.ts';
import { createSqlitePublisher, type SqlitePublisher } from './publisher.ts';

/** Settled deliveries between two rounds of pruning, and how many a round removes at most. */
const pruneEvery = 32;
const pruneAtOnce = 64;

/** @param database is closed with the store */
export function openSqliteStore(
  { hub, limits, counters }: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
  database: DeliveryDatabase,
): Store {
  let handlers: StoreHandlers;
  let settledCount = 0;
  let quiet: Promise<void> | undefined;
  const dispatcher = createDispatcher({
    database,
    concurrency: options.concurrency,
    timers,
    attempt(task) {
      const endpoint = endpoints.byKey(task.endpoint)!; // only registered endpoints have a queue
      handlers.attempt(endpoint, task, (outcome) => {
        dispatcher.ended(task, outcome);
        handlers.settled(endpoint, task, outcome);
        if (outcome.state !== 'again') countSettled();
      });
    },
  });
  const endpoints: SqliteEndpoints = createSqliteEndpoints({
    hub,
    database,
    dispatcher,
    timers,
    rules: { scheme: schemes[options.scheme], breaker: options.breaker },
    maxEndpoints: limits.maxSubscribers,
    limits: endpointLimits(options),
    changed: (...change) => handlers.changed(...change),
  });
  const publisher = createSqlitePublisher({
    hub,
    database,
    dispatcher,
    timers,
    endpoints,
    limits,
    counters,
    countSettled,
  });

  function countSettled(): void {
    if (++settledCount % pruneEvery === 0)
      database.prune(timers.nowMs() - options.retain, options.keep, pruneAtOnce);
  }

  return {
    endpoints: endpoints.all,
    log: database,
    refresh() {},
    publish: publisher.publish,
    add: endpoints.add,
    remove: endpoints.remove,
    change: endpoints.change,
    disable: (endpoint, reason) => endpoints.disabling(endpoint, reason).done(),
    saveHealth({ stored }) {
      if (endpoints.byKey(stored.key)) database.saveEndpoint(stored);
    },
    ...requestsOf({ database, dispatcher, publisher, timers }),
    ...backlogsOf(database, timers),
    schedule: {
      start(given) {
        handlers = given;
        endpoints.openAll();
      },
      pending: ({ stored }) => dispatcher.queue(stored.key)?.pending ?? 0,
      underWay: dispatcher.underWay,
      stop: () => (quiet = dispatcher.close()),
    },
    async close() {
      await quiet;
      await database.close(); // with what was published last
      endpoints.close();
    },
  };
}

/** What the API asks for besides changes of endpoints. */
function requestsOf({
  database,
  dispatcher,
  publisher,
  timers,
}: {
  database: DeliveryDatabase;
  dispatcher: Dispatcher;
  publisher: SqlitePublisher;
  timers: Timers;
}): Pick<Store, 'send' | 'replay' | 'recover'> {
  const wake = (endpoint: number) => dispatcher.wake(endpoint);
  return {
    async send(endpoint, message) {
      const kept = await database.submit('change', {
        work() {
          enabledOf(endpoint);
          return publisher.keep(message, [endpoint]);
        },
        done(made) {
          publisher.dispatch(made);
          wake(endpoint.stored.key); // a change stored with this one may have counted it already
        },
      });
      return kept.rows[0]!.id; // one for the one endpoint
    },
    replay: (endpoint, id) =>
      database.submit('change', {
        work() {
          enabledOf(endpoint);
          return database.replay(id, timers.nowMs()) !== undefined;
        },
        done: (isReplayed) => void (isReplayed && wake(endpoint.stored.key)),
      }),
    recover: (endpoint, sinceMs, untilMs, limit) =>
      database.submit('change', {
        work() {
          enabledOf(endpoint);
          return database.recover(endpoint.stored.key, sinceMs, untilMs, timers.nowMs(), limit);
        },
        done: (recovered) => void (recovered > 0 && wake(endpoint.stored.key)),
      }),
  };
}

function backlogsOf(database: DeliveryDatabase, timers: Timers): Pick<Store, 'backlog' | 'readBacklog'> {
  return {
    backlog() {
      try {
        return backlogOf(database.depth(), timers.nowMs());
      } catch {
        return backlogOf({ pending: database.pending(), oldestMs: undefined }, timers.nowMs());
      }
    },
    readBacklog: () => ({
      ...backlogOf(database.depth(), timers.nowMs()),
      deadLetters: database.deadLetters(),
    }),
  };
}

function backlogOf(
  { pending: depth, oldestMs }: ReturnType<DeliveryDatabase['depth']>,
  nowMs: number,
): ServerBacklog {
  return { depth, oldestAgeMs: oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs) };
}
