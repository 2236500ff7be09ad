// Stores a batch of events in Redis with all their deliveries, or nothing of it, in one script. BullMQ's own
// script adds the jobs inside of it.
//
// Each publisher has a key with the token of its latest batch. A batch names the token it follows, so that
// one whose answer was lost can be settled: `settle` reads whether its token is there, and if not, puts
// another in its place. A batch that was still on its way then finds that it does not follow, and does
// nothing.

import { Job, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobData } from './delivery-log.ts';
import { markerField } from './identify.ts';

export type StoredBatch = {
  events: readonly { key: string; text: string; note: string }[];
  /** Under these keys stands which event a publisher's key made. */
  keys: readonly { key: string; text: string }[];
  jobs: readonly JobData[];
};

/** `firstId`: the number of its first delivery, 0 where it has none; the others follow. */
type Stored = { readonly state: 'stored'; readonly firstId: number };
/**
 * `fenced`: it does not follow; settle and try again. `raced`: one of the keys was taken meanwhile.
 * `emptied`: the store is not the one that this server began with.
 */
type NotStored = { readonly state: 'fenced' | 'raced' | 'emptied' };
export type BatchOutcome = Stored | NotStored;
export type Settlement = 'stored' | 'not-stored' | 'emptied';

export type BatchKeys = { marker: string; endpoints: string; batch: string; events: string };

export type BatchTimes = { tokenMs: number; eventMs: number; keyMs: number; eventsKept: number };

type Transaction = Parameters<ReturnType<Queue['getBackend']>['addJobToTransaction']>[0];
/** What BullMQ's script takes for a job, besides the queue's keys. */
type JobArguments = { queueKeys: string[]; rest: (string | Buffer)[] };

const queueKeyCount = 9;

/**
 * @param addJobScript BullMQ's `addStandardJob`: with KEYS and ARGV as parameters it is a function's body
 * @returns the script; its first write is refused as a whole when Redis takes no writes (out of memory, read
 *   only), and what goes wrong behind it is undone: a job whose event is gone is never sent
 */
function batchScript(addJobScript: string): string {
  return `
local function addJob(KEYS, ARGV)
${addJobScript}
end
local marker, endpoints, batch, notes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local identity, follows, token = ARGV[1], ARGV[2], ARGV[3]
local tokenMs, eventMs, keyMs, eventsKept = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local eventCount, keyCount, jobCount = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local queueKeys = {}
for i = 1, ${queueKeyCount} do queueKeys[i] = KEYS[4 + i] end
local eventsFrom, keysFrom = 4 + ${queueKeyCount}, 4 + ${queueKeyCount} + eventCount
if redis.call('GET', marker) ~= identity
  or redis.call('HGET', endpoints, '${markerField}') ~= identity then
  return 'emptied' end
if (redis.call('GET', batch) or '') ~= follows then return 'fenced' end
for i = 1, keyCount do
  if redis.call('EXISTS', KEYS[keysFrom + i]) == 1 then return 'raced' end
end
redis.call('SET', batch, token, 'PX', tokenMs)
local at, firstId = 10, '0'
local function nextArgument()
  at = at + 1
  return ARGV[at]
end
local written, failure = pcall(function()
  for i = 1, eventCount do
    redis.call('SET', KEYS[eventsFrom + i], nextArgument(), 'PX', eventMs)
    redis.call('LPUSH', notes, nextArgument())
  end
  if eventCount > 0 then redis.call('LTRIM', notes, 0, eventsKept) end
  for i = 1, keyCount do redis.call('SET', KEYS[keysFrom + i], nextArgument(), 'PX', keyMs) end
  for i = 1, jobCount do
    local id = addJob(queueKeys, { nextArgument(), nextArgument(), nextArgument() })
    if i == 1 then firstId = id end
  end
end)
if written then return { 'stored', firstId } end
for i = 1, eventCount do
  redis.call('DEL', KEYS[eventsFrom + i])
  redis.pcall('LREM', notes, 1, ARGV[10 + 2 * i])
end
for i = 1, keyCount do redis.call('DEL', KEYS[keysFrom + i]) end
redis.call('SET', batch, follows, 'PX', tokenMs)
return redis.error_reply(type(failure) == 'table' and failure.err or tostring(failure))
`;
}

const settleScript = `
local identity, token, fence, tokenMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('GET', KEYS[1]) ~= identity
  or redis.call('HGET', KEYS[2], '${markerField}') ~= identity then
  return 'emptied' end
if redis.call('GET', KEYS[3]) == token then return 'stored' end
redis.call('SET', KEYS[3], fence, 'PX', tokenMs)
return 'not-stored'
`;

/** A batch as the script takes it. */
export type PreparedBatch = { names: readonly string[]; values: readonly (string | number | Buffer)[] };

export type Batches = {
  prepare(batch: StoredBatch): Promise<PreparedBatch>;
  /** @param follows the token of the batch before, or of the fence; '' before the first */
  store(redis: Redis, batch: PreparedBatch, follows: string, token: string): Promise<BatchOutcome>;
  /**
   * Whether the batch of this token is stored; if not, it never will be, and `fence` is what the next one
   * follows.
   */
  settle(redis: Redis, token: string, fence: string): Promise<Settlement>;
};

/**
 * @param redis the connection that `queue` was given
 * @param addJobScript the text of BullMQ's `addStandardJob`
 */
export function createBatches(
  redis: Redis,
  queue: Queue<JobData, string>,
  addJobScript: string,
  identity: string,
  keys: BatchKeys,
  times: BatchTimes,
): Batches {
  redis.defineCommand('pushbenchStore', { lua: batchScript(addJobScript) });
  redis.defineCommand('pushbenchSettle', { lua: settleScript, numberOfKeys: 3 });

  async function argumentsOf(data: JobData): Promise<JobArguments> {
    let taken: (string | Buffer)[] = [];
    const taker = { runCommand: (_name: string, given: (string | Buffer)[]) => (taken = given) };
    const job = new Job<JobData, string>(queue, 'delivery', data, {}).asJSON();
    // To add a job to a transaction, BullMQ only calls `runCommand` on it.
    await queue.getBackend().addJobToTransaction(taker as unknown as Transaction, job, '');
    return { queueKeys: taken.slice(0, queueKeyCount).map(String), rest: taken.slice(queueKeyCount) };
  }

  return {
    async prepare({ events, keys: given, jobs }) {
      const made = await Promise.all(jobs.map(argumentsOf));
      const queueKeys = made[0]?.queueKeys ?? Array<string>(queueKeyCount).fill('');
      const names = [
        keys.marker,
        keys.endpoints,
        keys.batch,
        keys.events,
        ...queueKeys,
        ...events.map(({ key }) => key),
        ...given.map(({ key }) => key),
      ];
      const values = [
        times.tokenMs,
        times.eventMs,
        times.keyMs,
        times.eventsKept,
        events.length,
        given.length,
        jobs.length,
        ...events.flatMap(({ text, note }) => [text, note]),
        ...given.map(({ text }) => text),
        ...made.flatMap(({ rest }) => rest),
      ];
      return { names, values };
    },
    async store(to, { names, values }, follows, token) {
      const given = [names.length, ...names, identity, follows, token, ...values];
      const answer = await run<NotStored['state'] | ['stored', string]>(to, 'pushbenchStore', given);
      if (typeof answer === 'string') return { state: answer };
      return { state: 'stored', firstId: Number(answer[1]) };
    },
    settle: (to, token, fence) =>
      run<Settlement>(to, 'pushbenchSettle', [
        keys.marker,
        keys.endpoints,
        keys.batch,
        identity,
        token,
        fence,
        times.tokenMs,
      ]),
  };
}

/** The scripts above answer with these words alone. */
function run<T>(redis: Redis, name: string, given: (string | number | Buffer)[]): Promise<T> {
  // A script becomes a method of its name.
  const commands = redis as unknown as Record<string, (given: (string | number | Buffer)[]) => Promise<T>>;
  return commands[name]!(given);
}
