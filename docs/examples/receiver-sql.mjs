// Keeps the ids and the order of webhooks in SQL, here SQLite of `node:sqlite` (Node 22.5 and newer). With
// PostgreSQL the statements are the same but for their placeholders ($1) and types (bigint for integer).

import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

/**
 * A store for `createReceiver`: what was acted upon is known after a restart, and to all processes.
 * Call `purge` from a timer.
 */
export function sqlStore(db, { rememberMs = 4 * 86_400_000, nowMs = Date.now } = {}) {
  db.exec(`create table if not exists webhook_ids (
    id text primary key, state text not null, until_ms integer not null)`);
  // One statement, so that of two processes one gets the id; a claim that ran out may be taken over.
  const claim = db.prepare(`insert into webhook_ids (id, state, until_ms) values (?, 'under-way', ?)
    on conflict (id) do update set state = excluded.state, until_ms = excluded.until_ms
    where webhook_ids.until_ms <= ?`);
  const known = db.prepare('select state from webhook_ids where id = ?');
  const finish = db.prepare(`insert into webhook_ids (id, state, until_ms) values (?, 'done', ?)
    on conflict (id) do update set state = excluded.state, until_ms = excluded.until_ms`);
  const forget = db.prepare(`delete from webhook_ids where id = ? and state = 'under-way'`);
  const purge = db.prepare('delete from webhook_ids where until_ms <= ?');
  return {
    begin(id, leaseMs) {
      const now = nowMs();
      if (Number(claim.run(id, now + leaseMs, now).changes) === 1) return 'new';
      return known.get(id)?.state ?? 'under-way';
    },
    finish: (id) => void finish.run(id, nowMs() + rememberMs),
    forget: (id) => void forget.run(id),
    purge: () => void purge.run(nowMs()),
  };
}

/**
 * A store for `createStoredSequencer`. A topic is locked while something of it is acted upon: let `lockMs` be
 * more than `onStep` takes for what was held back. Delete topics that are over.
 */
export function sqlSequenceStore(db, { lockMs = 30_000, nowMs = Date.now } = {}) {
  db.exec(`create table if not exists webhook_topics (
    topic text primary key, kept text, waiting_since_ms integer,
    owner text not null, locked_until_ms integer not null)`);
  const lock = db.prepare(`insert into webhook_topics (topic, owner, locked_until_ms) values (?, ?, ?)
    on conflict (topic) do update set owner = excluded.owner, locked_until_ms = excluded.locked_until_ms
    where webhook_topics.locked_until_ms <= ?`);
  const unlock = db.prepare('update webhook_topics set locked_until_ms = 0 where topic = ? and owner = ?');
  const get = db.prepare('select kept from webhook_topics where topic = ?');
  const put = db.prepare(
    'update webhook_topics set kept = ?, waiting_since_ms = ? where topic = ? and owner = ?',
  );
  const waiting = db.prepare('select topic from webhook_topics where waiting_since_ms <= ?');
  const isOne = ({ changes }) => Number(changes) === 1;
  return {
    async update(topic, change) {
      const owner = randomUUID();
      while (!isOne(lock.run(topic, owner, nowMs() + lockMs, nowMs()))) await setTimeout(20);
      try {
        const { kept: text } = get.get(topic);
        const kept = await change(text === null ? undefined : JSON.parse(text));
        if (kept && !isOne(put.run(JSON.stringify(kept), kept.waitingSinceMs, topic, owner)))
          throw new Error(`the lock of topic ${topic} ran out: lockMs is less than onStep took`);
      } finally {
        unlock.run(topic, owner);
      }
    },
    waiting: async (sinceMs) => waiting.all(sinceMs).map(({ topic }) => topic),
  };
}
