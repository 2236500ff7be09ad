// Defines the tables of the embedded database, and every statement that touches them.
//
// A delivery is of state `fresh` until its first attempt has failed, then `waiting`: the two ways to be
// pending have an index each, of pending rows only, so that neither the settled nor another endpoint's
// backlog is ever walked over. Only a list of one endpoint's pending deliveries walks over those of
// others, in the index alone.
// `spent` are the attempts before a replay: the schedule begins again behind them.

import type { DatabaseSync } from 'node:sqlite';
import { exitCodes, UserError } from '../../../core/base/errors.ts';

export const stateNumbers = { fresh: 0, waiting: 1, delivered: 2, exhausted: 3, cancelled: 4 } as const;

const version = 2;

/**
 * Since version 2: which event a publisher's key made (servers/http/idempotency.ts). Pruning
 * events does not touch it.
 */
const keysTable = `
CREATE TABLE idempotency_keys (
  key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, event TEXT NOT NULL, seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX keys_by_age ON idempotency_keys (at_ms);
`;

const tables = `
CREATE TABLE endpoints (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, config TEXT NOT NULL, created_ms INTEGER NOT NULL,
  disabled TEXT, failures INTEGER NOT NULL, failing_since_ms INTEGER, removed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE events (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, at_ms INTEGER NOT NULL,
  body TEXT NOT NULL, body_bytes INTEGER NOT NULL);
CREATE INDEX events_of_topic ON events (topic, key);
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY, event INTEGER NOT NULL, endpoint INTEGER NOT NULL, state INTEGER NOT NULL,
  attempts INTEGER NOT NULL, spent INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL,
  next_ms INTEGER, settled_ms INTEGER, status INTEGER, failure TEXT);
CREATE INDEX fresh ON deliveries (endpoint, id) WHERE state = 0;
CREATE INDEX waiting ON deliveries (endpoint, next_ms) WHERE state = 1;
CREATE INDEX pending ON deliveries (id, endpoint) WHERE state < 2;
CREATE INDEX dead ON deliveries (state, id) WHERE state > 2;
CREATE INDEX dead_of_endpoint ON deliveries (endpoint, id) WHERE state > 2;
CREATE INDEX deliveries_of_event ON deliveries (event);
CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint, id);
CREATE TABLE attempts (
  delivery INTEGER NOT NULL, attempt INTEGER NOT NULL, at_ms INTEGER NOT NULL, latency_ms REAL NOT NULL,
  status INTEGER,
  failure TEXT, answer TEXT NOT NULL, truncated INTEGER NOT NULL, next_ms INTEGER,
  PRIMARY KEY (delivery, attempt)) WITHOUT ROWID;
${keysTable}
PRAGMA user_version = ${version};
`;

/** Those that every version has. */
export const tableNames = ['endpoints', 'events', 'deliveries', 'attempts'] as const;

/**
 * Makes the tables in a new database. In an existing one it checks the version, and adds what an older
 * version does not have.
 * @throws UserError when another version wrote it
 */
export function migrate(db: DatabaseSync, path: string): void {
  const { user_version: found } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (found === 0) db.exec(`BEGIN; ${tables} COMMIT;`);
  else if (found === 1) db.exec(`BEGIN; ${keysTable} PRAGMA user_version = ${version}; COMMIT;`);
  else if (found !== version) {
    throw new UserError(
      'store-version',
      `${path} was written as version ${found}; this pushbench reads version ${version}. Use the ` +
        'pushbench that wrote it, or name another file with the option file.',
      exitCodes.failed,
    );
  }
}

const taskColumns = `d.id, d.endpoint, d.attempts, d.spent, d.created_ms AS createdMs, d.next_ms AS nextMs,
  e.id AS eventId, e.topic, e.body, e.body_bytes AS bodyBytes`;
const tasks = `SELECT ${taskColumns} FROM deliveries d CROSS JOIN events e ON e.key = d.event`;

const rowsBy = (index: string) => `SELECT d.id, p.id AS endpointId, e.id AS eventId, e.topic, d.state,
  d.attempts, d.created_ms AS createdMs, d.next_ms AS nextMs,
  d.settled_ms AS settledMs, d.status, d.failure
  FROM deliveries d ${index && `INDEXED BY ${index}`}
  CROSS JOIN events e ON e.key = d.event CROSS JOIN endpoints p ON p.key = d.endpoint`;
const rows = rowsBy('');
const newestFirst = 'ORDER BY d.id DESC LIMIT :limit';

/**
 * Every statement by name. The tests ask SQLite how it would run each, and that no table is walked through.
 */
export const statements = {
  addEndpoint:
    'INSERT INTO endpoints (id, config, created_ms, disabled, failures, ' +
    'failing_since_ms) VALUES (?, ?, ?, ?, ?, ?)',
  saveEndpoint:
    'UPDATE endpoints SET config = ?, disabled = ?, failures = ' + '?, failing_since_ms = ? WHERE key = ?',
  removeEndpoint: `UPDATE endpoints SET config = '{}', disabled = 'deleted', removed = 1 WHERE key = ?`,

  addEvent: `INSERT INTO events (id, topic, at_ms, body, body_bytes) VALUES (?, ?, ?, ?, ?)`,
  addKey: `INSERT INTO idempotency_keys (key, fingerprint, event, seq, at_ms) VALUES (?, ?, ?, ?, ?)`,
  keyed: `SELECT fingerprint, event AS id, seq FROM idempotency_keys WHERE key = ? AND at_ms >= ?`,
  pruneKeys:
    'DELETE FROM idempotency_keys WHERE key IN (SELECT key FROM ' +
    'idempotency_keys WHERE at_ms < ? ORDER BY at_ms LIMIT ?)',
  pruneKey: `DELETE FROM idempotency_keys WHERE key = ? AND at_ms < ?`,
  addDelivery:
    'INSERT INTO deliveries (id, event, endpoint, state, attempts, ' +
    'created_ms, settled_ms) VALUES (?, ?, ?, ?, 0, ?, ?)',
  addAttempt: `INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  settle:
    'UPDATE deliveries SET state = ?, attempts = ?, next_ms = ?, ' +
    'settled_ms = ?, status = ?, failure = ? WHERE id = ?',

  countFresh:
    'SELECT count(*) AS n, coalesce(sum(e.body_bytes), 0) AS bytes FROM deliveries d INDEXED BY fresh ' +
    'CROSS JOIN events e ON e.key = d.event WHERE d.endpoint = ? AND d.state = 0',
  countWaiting:
    'SELECT count(*) AS n, coalesce(sum(e.body_bytes), 0) AS bytes FROM deliveries d INDEXED BY waiting ' +
    'CROSS JOIN events e ON e.key = d.event WHERE d.endpoint = ? AND d.state = 1',
  fresh: `${tasks} WHERE d.endpoint = ? AND d.state = 0 AND d.id > ? ORDER BY d.id LIMIT ?`,
  waiting: `${tasks} WHERE d.endpoint = ? AND d.state = 1 ORDER BY d.next_ms LIMIT ?`,
  freshIds:
    'SELECT d.id, e.topic FROM deliveries d INDEXED BY fresh CROSS JOIN events e ON e.key = d.event WHERE ' +
    'd.endpoint = ? AND d.state = 0',
  waitingIds:
    'SELECT d.id, e.topic FROM deliveries d INDEXED BY waiting CROSS JOIN events e ON e.key = d.event ' +
    'WHERE d.endpoint = ? AND d.state = 1',
  cancel: `UPDATE deliveries SET state = 4, next_ms = NULL, settled_ms = ? WHERE id = ? AND state < 2`,
  replay:
    'UPDATE deliveries SET state = 1, spent = attempts, next_ms = ?, ' +
    'settled_ms = NULL WHERE id = ? AND state > 1',
  state: 'SELECT state FROM deliveries WHERE id = ?',
  deadOfEndpoint:
    'SELECT count(*) AS n FROM deliveries INDEXED BY dead_of_endpoint WHERE endpoint = ? AND state > 2 AND ' +
    `state = ${stateNumbers.exhausted}`,
  task: `${tasks} WHERE d.id = ?`,
  recover: `UPDATE deliveries SET state = 1, spent = attempts,
    next_ms = :nowMs, settled_ms = NULL WHERE id IN (
    SELECT id FROM deliveries INDEXED BY dead_of_endpoint WHERE endpoint = :endpoint AND state > 2
    AND created_ms >= :sinceMs AND created_ms < :untilMs ORDER BY id LIMIT :limit)`,

  list: `${rows} WHERE d.id < :cursor ${newestFirst}`,
  listPending: `${rows} WHERE d.id < :cursor AND d.state < 2 ${newestFirst}`,
  listDead: `${rows} WHERE d.id < :cursor AND d.state = :state AND d.state > 2 ${newestFirst}`,
  listDelivered: `${rows} WHERE d.id < :cursor AND d.state = 2 ${newestFirst}`,
  listOfEndpoint: `${rows} WHERE d.id < :cursor AND d.endpoint = :endpoint ${newestFirst}`,
  listDeadOfEndpoint:
    `${rowsBy('dead_of_endpoint')} WHERE d.id < :cursor AND d.endpoint = :endpoint AND d.state = :state ` +
    `AND d.state > 2 ${newestFirst}`,
  listPendingOfEndpoint:
    `${rowsBy('pending')} WHERE d.id < :cursor AND d.endpoint = ` +
    `:endpoint AND d.state < 2 ${newestFirst}`,
  listDeliveredOfEndpoint:
    `${rows} WHERE d.id < :cursor AND d.endpoint = ` + `:endpoint AND d.state = 2 ${newestFirst}`,
  listOfEvent:
    `${rows} WHERE d.event = (SELECT key FROM events WHERE id = ` +
    `:event) AND d.id < :cursor ${newestFirst}`,
  row: `${rows} WHERE d.id = ?`,
  body: `SELECT e.body FROM deliveries d JOIN events e ON e.key = d.event WHERE d.id = ?`,
  attempts:
    'SELECT attempt, at_ms AS atMs, latency_ms AS latencyMs, status, failure, answer, truncated, next_ms ' +
    'AS nextMs FROM attempts WHERE delivery = ? ORDER BY attempt',
  events:
    'SELECT key, id, topic, at_ms AS acceptedMs, body_bytes AS bodyBytes, (SELECT count(*) FROM deliveries ' +
    'd WHERE d.event = events.key) AS deliveries FROM events WHERE key < ? ORDER BY key DESC LIMIT ?',
  eventsOfTopic:
    'SELECT key, id, topic, at_ms AS acceptedMs, body_bytes AS bodyBytes, (SELECT count(*) FROM deliveries ' +
    'd WHERE d.event = events.key) AS deliveries FROM events WHERE topic = ? ' +
    'AND key < ? ORDER BY key DESC LIMIT ?',
  oldest: `SELECT created_ms AS createdMs FROM deliveries WHERE state < 2 ORDER BY id LIMIT 1`,
  newestId: `SELECT max(id) AS id FROM deliveries`,

  prunable:
    'SELECT id, event, endpoint, state, created_ms AS createdMs, (SELECT removed FROM endpoints WHERE ' +
    'key = deliveries.endpoint) AS removed FROM deliveries WHERE id > ? ORDER BY id LIMIT ?',
  pruneAttempts: `DELETE FROM attempts WHERE delivery = ?`,
  pruneDelivery: `DELETE FROM deliveries WHERE id = ?`,
  pruneEvent: `DELETE FROM events WHERE key = ? AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = ?)`,
  pruneEndpoint:
    'DELETE FROM endpoints WHERE key = ? AND removed = 1 AND NOT EXISTS ' +
    '(SELECT 1 FROM deliveries WHERE endpoint = ?)',
} as const;

/** Statements that read all of a small table, or all that is pending or dead once, at the start. */
export const wholeReads = {
  endpoints:
    'SELECT key, id, config, created_ms AS createdMs, disabled, failures, failing_since_ms AS ' +
    'failingSinceMs FROM endpoints WHERE removed = 0 ORDER BY key',
  countPending: `SELECT count(*) AS n FROM deliveries INDEXED BY pending WHERE state < 2`,
  countDead:
    'SELECT count(*) AS n FROM deliveries d INDEXED BY dead CROSS JOIN endpoints p ON p.key = d.endpoint ' +
    `WHERE d.state = ${stateNumbers.exhausted} AND d.state > 2 AND p.removed = 0`,
} as const;
