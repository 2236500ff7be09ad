// Numbers the events of all servers in Redis. One script assigns the offset in the log and, if the publisher
// sent none, the number in the topic; finds an event that has the same key; and delivers the event. Both
// brokers on Redis use it.

import { messageOf } from '../../core/base/errors.ts';
import { isReply, openLink, AnswerLost, RedisDown, type RedisLink } from '../webhook/redis/link.ts';
import type { Place } from '../hub/event.ts';
import { confirmWithinMs, keptBy, brokerKeyStaysMs, leftStaysMs } from './broker.ts';
import { createRoom, refusalsOf, type BrokerOptions, type Refusals } from './broker.ts';
import { newEpoch } from '../hub/epoch.ts';

/**
 * What numbers and delivers one event.
 * - KEYS: the log's hash, the topics' numbers, the stream, the publisher's key
 * - ARGV: channel, topic, number or '', rest, whether there is a key, an epoch if a new one is needed, and
 *   the bounds of the stream: events, bytes
 * @param deliver Lua that gives the event to the servers
 */
const publishScript = (deliver: string) => `
local log, seqs, stream, key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local channel, topic, seq, rest = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local epoch = redis.call('HGET', log, 'epoch')
if not epoch then
  epoch = ARGV[6]
  redis.call('DEL', seqs, stream)
  redis.call('HSET', log, 'epoch', epoch, 'offset', 0, 'bytes', 0)
end
if ARGV[5] == '1' then
  local first = redis.call('GET', key)
  if first then return first end
end
if seq == '' then
  seq = string.format('%.0f', redis.call('HINCRBY', seqs, topic, 1))
elseif tonumber(seq) > tonumber(redis.call('HGET', seqs, topic) or '0') then
  redis.call('HSET', seqs, topic, seq)
end
local number = redis.call('HINCRBY', log, 'offset', 1)
local offset = string.format('%.0f', number)
local place = epoch .. '-' .. offset .. ' ' .. seq
if ARGV[5] == '1' then redis.call('SET', key, place, 'PX', ${brokerKeyStaysMs}) end
${deliver}
if number % 1024 == 1 then
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ${leftStaysMs}) end
end
return place
`;

const publishing = `
redis.call('PUBLISH', channel, epoch .. ' ' .. offset .. ' ' .. seq .. ' ' .. topic .. ' ' .. rest)`;

const appending = `
redis.call('XADD', stream, offset .. '-0', 'e', epoch .. ' ' .. seq .. ' ' .. topic .. ' ' .. rest)
local bytes = redis.call('HINCRBY', log, 'bytes', #rest)
local length = redis.call('XLEN', stream)
while length > tonumber(ARGV[7]) or (bytes > tonumber(ARGV[8]) and length > 1) do
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local entry = oldest[2][2]
  local _, at = string.find(entry, '^[^ ]* [^ ]* [^ ]* ')
  bytes = redis.call('HINCRBY', log, 'bytes', at - #entry)
  redis.call('XDEL', stream, oldest[1])
  length = length - 1
end`;

/**
 * Says where the log is, and begins a new one where the hash is gone or went back behind what a server has.
 * - KEYS: the log's hash, the topics' numbers, the stream
 * - ARGV: channel or '', an epoch if a new one is needed, the server's epoch and the end of its log
 * It tells it to all servers where they listen to a channel. The answer: epoch, offset, and the offset of the
 * oldest event in the stream, 0 without one.
 */
const syncScript = `
local log, seqs, stream = KEYS[1], KEYS[2], KEYS[3]
local epoch, offset = unpack(redis.call('HMGET', log, 'epoch', 'offset'))
if not epoch or (epoch == ARGV[3] and tonumber(offset) < tonumber(ARGV[4])) then
  epoch, offset = ARGV[2], '0'
  redis.call('DEL', seqs, stream)
  redis.call('HSET', log, 'epoch', epoch, 'offset', 0, 'bytes', 0)
end
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ${leftStaysMs}) end
if ARGV[1] ~= '' then redis.call('PUBLISH', ARGV[1], epoch .. ' ' .. offset) end
local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
return { epoch, offset, oldest and string.match(oldest[1], '^%d+') or '0' }
`;

export type SharedPlace = Place & { epoch: string; offset: number };
export type Ends = { epoch: string; offset: number; oldest: number };

export type RedisNumbers = {
  readonly refusals: Refusals;
  /** What servers listen to. */
  readonly channel: string;
  readonly stream: string;
  ready(): boolean;
  /** Numbers an event and gives it to all servers, or finds the event that already has its key. */
  publish(
    topic: string,
    rest: string,
    seq: number | undefined,
    key: string | undefined,
  ): Promise<SharedPlace>;
  /** Where the log of the servers is; they are all told where they listen to the channel. */
  sync(): Promise<Ends>;
  close(): void;
};

/** @param change is called when commands can be sent, and when they no longer can */
export function openRedisNumbers(
  { access, limits, log }: BrokerOptions,
  deliver: 'to-channel' | 'to-stream',
  change: (ready: boolean) => void,
): RedisNumbers {
  const refusals = refusalsOf('Redis', access.url);
  const makeRoom = createRoom(refusals);
  const { name } = access;
  const keys = [`${name}:log`, `${name}:seqs`, `${name}:stream`];
  const channel = `${name}:events`;
  const kept = keptBy(limits);
  const link = openRedisLink(access.url, change);
  const script = publishScript(deliver === 'to-channel' ? publishing : appending);
  link.redis.defineCommand('pushbenchPublish', { lua: script, numberOfKeys: 4 });
  link.redis.defineCommand('pushbenchSync', { lua: syncScript, numberOfKeys: 3 });
  const run = <T>(command: string, given: (string | number)[], withinMs: number): Promise<T> =>
    // A script becomes a method of its name.
    link.ask(
      (redis) =>
        (redis as unknown as Record<string, (given: (string | number)[]) => Promise<T>>)[command]!(given),
      withinMs,
    );

  function refusalOf(error: unknown): Error {
    const why = messageOf(error).slice(0, 200);
    if (error instanceof AnswerLost) return refusals.unknown(why);
    return error instanceof RedisDown || isReply(error) ? refusals.away(why) : (error as Error);
  }

  return {
    refusals,
    channel,
    stream: keys[2]!,
    ready: link.ready,
    async publish(topic, rest, seq, key) {
      const free = makeRoom(rest.length);
      try {
        const about = [channel, topic, seq ?? '', rest, key === undefined ? '0' : '1', newEpoch()];
        const place = await run<string>(
          'pushbenchPublish',
          [...keys, `${name}:key:${key ?? ''}`, ...about, kept.events, kept.bytes],
          confirmWithinMs,
        );
        return placeIn(place);
      } catch (error) {
        throw refusalOf(error);
      } finally {
        free();
      }
    },
    async sync() {
      const told = deliver === 'to-channel' ? channel : '';
      const [epoch, offset, oldest] = await run<[string, string, string]>(
        'pushbenchSync',
        [...keys, told, newEpoch(), log.epoch(), log.end()],
        confirmWithinMs,
      );
      return { epoch, offset: Number(offset), oldest: Number(oldest) };
    },
    close: link.close,
  };
}

export function openRedisLink(url: string, change: (ready: boolean) => void): RedisLink {
  return openLink(url, change);
}

/** `EPOCH-OFFSET SEQ` */
function placeIn(text: string): SharedPlace {
  const [id, seq] = text.split(' ') as [string, string];
  const at = id.lastIndexOf('-');
  return { id, seq: Number(seq), epoch: id.slice(0, at), offset: Number(id.slice(at + 1)) };
}
