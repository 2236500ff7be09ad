// Serves webhooks: the server calls each subscriber at the address it registered. Its parts are in a folder:
// service.ts (the operations), courier.ts (makes attempts and judges answers), store.ts (the interface to
// the stores sqlite/, redis/ and queue/), sending/ (one request), http/ (the API, its description, the
// dashboard, and who may use them). core/policy decides when attempts are made. This file puts them
// together.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { publishExample } from './http/examples.ts';
import type { PatternContext, PatternServer } from './pattern.ts';
import { createAccess } from './webhook/http/access.ts';
import { dashboardRoutes } from './webhook/http/dashboard.ts';
import { openApiRoute } from './webhook/http/openapi.ts';
import { webhookRoutes } from './webhook/http/routes.ts';
import { createService } from './webhook/service.ts';
import { openingFault } from './webhook/sqlite/file.ts';
import { openDatabase, type DeliveryDatabase } from './webhook/sqlite/database.ts';
import { openSqliteStore } from './webhook/sqlite/store.ts';
import type { Store } from './webhook/store.ts';
import { webhookStream } from './webhook/http/stream.ts';
import { realTimers, scaledTimers, type Timers } from './webhook/sending/timers.ts';

/** The webhook server on the given clock and timers. */
export function webhookOn(timers: Timers): PatternServer<PatternOptions<'webhook'>> {
  return {
    async start(context, options) {
      const clock = scaledTimers(timers, options.timeScale);
      const service = createService(context, options, clock, await openStore(context, options, clock));
      const stream = webhookStream(context, service);
      const access = createAccess();
      return {
        routes: access.protect({
          ...webhookRoutes(service, context.limits, context.counters),
          ...stream.routes,
          ...openApiRoute(),
          ...dashboardRoutes(),
        }),
        readers: 'own-pages',
        page: (beyond) => (beyond ? `/dashboard?token=${access.token}` : '/dashboard'),
        subscribers: service.enabled,
        publish: service.publish,
        backlog: service.backlog,
        emulator: service.emulator,
        disconnect: service.disconnect,
        drain: service.drain,
        setDown() {}, // nobody is served from here: deliveries are made, and their events are stored already
        async close() {
          await Promise.all([service.close(), stream.close()]);
        },
      };
    },
    examples: ({ scheme }) => [
      {
        what: 'register an endpoint that you run on port 9000; the answer holds its secret, this once',
        command: (url) =>
          `curl -d '{"url":"http://127.0.0.1:9000/hook","events":["news"]}' '${url}/webhooks'`,
      },
      {
        what: 'register a receiver of ours on port 9000 that checks signatures (Ctrl-C ends it)',
        command: (url, _publishUrl, _cursor, invocation) =>
          `${invocation} receive --port 9000 --scheme ${scheme} --secret "$(curl -s -d ` +
          `'{"url":"http://127.0.0.1:9000/hook","events":["news"]}' '${url}/webhooks' | ` +
          `sed 's/.*"secret":"\\([^"]*\\)".*/\\1/')"`,
      },
      publishExample,
      { what: 'see the endpoints and how their deliveries go', command: (url) => `curl '${url}/webhooks'` },
      { what: 'watch deliveries as they happen', command: (url) => `curl -N '${url}/webhooks/stream'` },
      {
        what: 'list the dead letters',
        command: (url) => `curl '${url}/webhooks/deliveries?state=exhausted'`,
      },
      {
        what: 'remove the first endpoint',
        command: (url) =>
          `curl -i -X DELETE "${url}/webhooks/$(curl -s '${url}/webhooks' | grep -o 'ep_[^"]*' | head -n 1)"`,
      },
    ],
  };
}

export const webhook = webhookOn(realTimers);

async function openStore(
  context: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
): Promise<Store> {
  // What a store needs is loaded by those who use it.
  if (options.store === 'redis') {
    const { openRedisStore } = await import('./webhook/redis/store.ts');
    return openRedisStore(context, options, timers);
  }
  if (options.store === 'sqs') {
    const [{ openQueueStore }, { openSqsQueue }] = await Promise.all([
      import('./webhook/queue/store.ts'),
      import('./webhook/sqs/open.ts'),
    ]);
    return openQueueStore(context, options, timers, (report) => openSqsQueue(options, report));
  }
  if (options.store === 'kafka') {
    const [{ openQueueStore }, { openKafkaQueue }] = await Promise.all([
      import('./webhook/queue/store.ts'),
      import('./webhook/kafka/open.ts'),
    ]);
    return openQueueStore(context, options, timers, (report) => openKafkaQueue(options, report));
  }
  return openSqliteStore(context, options, timers, databaseOf(options));
}

function databaseOf({ store, file }: PatternOptions<'webhook'>): DeliveryDatabase {
  if (store === 'memory') return openDatabase(':memory:');
  if (file !== '') return openDatabase(file);
  const folder = newFolder();
  try {
    return openDatabase(join(folder, 'store.db'));
  } finally {
    // The open database goes on without its names, and nothing is left of it however this process ends.
    rmSync(folder, { recursive: true });
  }
}

/** @throws UserError when the disk does not take one */
function newFolder(): string {
  const prefix = join(tmpdir(), 'pushbench-webhooks-');
  try {
    return mkdtempSync(prefix);
  } catch (error) {
    throw openingFault(`${prefix}*/store.db`, error);
  }
}
