// Makes a database whose commits fail when a test says so, as they do on a full or broken disk, and serves
// webhooks on one.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, vi } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { createHub } from '../../../servers/hub/hub.ts';
import { publishRoutes } from '../../../servers/http/publish.ts';
import { createRouter } from '../../../servers/http/router.ts';
import { createTally } from '../../../servers/http/connection-counts.ts';
import { webhookRoutes } from '../../../servers/webhook/http/routes.ts';
import { createService } from '../../../servers/webhook/service.ts';
import { openDatabase } from '../../../servers/webhook/sqlite/database.ts';
import { openSqliteStore } from '../../../servers/webhook/sqlite/store.ts';
import type { Timers } from '../../../servers/webhook/sending/timers.ts';
import { apiOf } from './client.ts';

/** SQLite's result codes. */
export const full = 13;
export const ioError = 10;
export const damaged = 11;

/**
 * @returns the database, and `failWith`: every commit fails with that code from now on, until
 *   it is called without one
 */
export function failingStore(path = ':memory:') {
  const database = openDatabase(path);
  const { db } = database;
  const exec = db.exec.bind(db);
  let errcode: number | undefined;
  let failures = 0;
  db.exec = (sql) => {
    if (sql !== 'COMMIT' || errcode === undefined) return exec(sql);
    failures++;
    exec('ROLLBACK'); // as SQLite does by itself when a commit fails
    throw Object.assign(new Error('the disk of the test says no'), { code: 'ERR_SQLITE_ERROR', errcode });
  };
  return { database, failures: () => failures, failWith: (code?: number) => void (errcode = code) };
}

/** The webhook server on such a store. */
export async function serveFailing(
  t: TestContext,
  timers: Timers,
  options: Record<string, unknown> = {},
  limits: Partial<ServerLimits> = {},
) {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const failing = failingStore();
  const counters = newCounters();
  const hub = createHub(defaultLimits);
  const all = { ...defaultLimits, slowBuffer: 64 * 1024 ** 2, ...limits };
  const context = {
    hub,
    limits: all,
    counters,
    countConnection: createTally(counters).add,
    random: () => 0.5,
  };
  const parsed = patterns.webhook.options.parse({ jitter: '0%', ...options });
  const store = openSqliteStore(context, parsed, timers, failing.database);
  const service = createService(context, parsed, timers, store);
  const routes = { ...webhookRoutes(service, all, counters), ...publishRoutes(hub, all, service.publish) };
  const listener = createServer(createRouter(routes, counters)).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  t.onTestFinished(async () => {
    failing.failWith();
    await service.close();
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  });
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`; // of a TCP listener
  const api = apiOf(url);
  return {
    ...failing,
    counters,
    hub,
    service,
    url,
    ...api,
    publish: (topic = 'news', body = '{}') => postTo(url, topic, body),
  };
}

/** @returns the answer's status, its Retry-After and what it says */
export async function postTo(url: string, topic: string, body: string) {
  const response = await fetch(`${url}/topics/${topic}`, { method: 'POST', body });
  const answer = (await response.json()) as { id: string; seq: number; error?: string };
  return { status: response.status, retryAfter: response.headers.get('retry-after'), ...answer };
}
