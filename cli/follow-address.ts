// Reads the arguments of `pushbench follow` and finds out what stands at the address.

import { UserError, exitCodes } from '../core/base/errors.ts';
import { oneLine } from '../core/base/printable.ts';
import { readText } from '../core/base/read-file.ts';
import { listNames, nearest } from '../core/base/suggest.ts';
import { parseDurationMs } from '../core/base/units.ts';
import { topicPattern } from '../core/event/envelope.ts';
import { patterns } from '../core/pattern/registry.ts';
import { followers } from '../load/follow/any-server.ts';
import { find, type Followed, type FollowOptions } from '../load/follow/follow.ts';
import type { FollowPattern, Found } from '../load/follow/recognise.ts';

export type FollowFlags = {
  topic: string[];
  pattern?: string;
  json: boolean;
  events?: string;
  for?: string;
  every: string;
  header: string[];
  send: string[];
  ca?: string;
};

/** When it ends by itself; Infinity where it does not. */
export type Limits = { events: number; forMs: number };

/** What a message of others may fill of ours. */
const longestQuote = 200;
const leastEveryMs = 10;

/** @throws UserError when one cannot be read */
export function limitsOf({ events, for: time }: FollowFlags): Limits {
  if (events !== undefined && !/^[1-9]\d{0,8}$/.test(events))
    throw new UserError('events', `--events ${events} is not a number of events: give 1 or more.`);
  return {
    events: events === undefined ? Infinity : Number(events),
    forMs: time === undefined ? Infinity : durationMs('--for', time, 1),
  };
}

/** @throws UserError when one cannot be read */
export function optionsOf(address: string, flags: FollowFlags): FollowOptions {
  const url = URL.parse(/^[a-z]+:\/\//i.test(address) ? address : `http://${address}`);
  if (!url || !/^(?:http|ws)s?:$/.test(url.protocol))
    throw new UserError('url', `${address} is not an address: give one such as http://127.0.0.1:8080.`);
  if (url.username !== '' || url.password !== '')
    throw new UserError(
      'url',
      'A name and password go into --header "Authorization: Basic ...", not the URL.',
    );
  const isSocket = url.protocol.startsWith('ws');
  const plain = new URL(url.href.replace(/^ws/, 'http'));
  plain.hash = '';
  const asked = flags.pattern ?? (isSocket ? 'websocket' : undefined);
  if (asked !== undefined && !isFollowPattern(asked)) throw noPattern(asked);
  if (isSocket && asked !== 'websocket')
    throw new UserError('pattern', `A ${url.protocol}// address is a WebSocket, not ${asked}.`);
  const topics = [...new Set(flags.topic.flatMap((text) => text.split(',')).filter((name) => name !== ''))];
  for (const name of topics)
    if (!topicPattern.test(name))
      throw new UserError('topic', `--topic ${name} is not a topic name: 1 to 128 of A-Z a-z 0-9 . _ : ~ -`);
  return {
    url: plain,
    pattern: asked,
    topics,
    headers: headersOf(flags.header),
    ca: flags.ca === undefined ? undefined : authority(flags.ca),
    everyMs: durationMs('--every', flags.every, leastEveryMs),
    send: flags.send,
  };
}

/**
 * Asks the address what it is.
 * @returns what to follow, with the options for it
 * @throws UserError with what to do, exit code 3 where the server is the cause
 */
export async function findFollowed(
  options: FollowOptions,
): Promise<{ followed: Followed; options: FollowOptions }> {
  const { pattern, url, topics, headers, send } = options;
  const found = await find(options);
  if (found.kind === 'ours') {
    const { base } = found;
    const ours = oursOf(found, pattern);
    if (Object.keys(headers).length > 0 || send.length > 0)
      throw new UserError(
        'follow',
        'This is a server of pushbench, which takes neither --header nor --send.',
      );
    const named = [topics, found.topics, ['news']].find((names) => names.length > 0)!;
    return { followed: { pattern: ours, ours: true, url: base }, options: { ...options, topics: named } };
  }
  const foreign = pattern === undefined ? undefined : patternAt(found, pattern);
  const known = foreign ?? (found.kind === 'foreign' ? found.pattern : undefined);
  if (known === undefined) throw unrecognised(url, found);
  if (topics.length > 0)
    throw new UserError('topic', `${url.host} is not a server of pushbench: put the topic into the address.`);
  if (send.length > 0 && known !== 'websocket')
    throw new UserError('send', `--send is for sockets, and this is ${patterns[known].title}.`);
  return { followed: { pattern: known, ours: false, url }, options };
}

/** What the user says it is, where the answer does not speak against it. */
function patternAt(
  found: Awaited<ReturnType<typeof find>>,
  pattern: FollowPattern,
): FollowPattern | undefined {
  if (found.kind === 'foreign' || found.kind === 'unknown') return pattern;
  // Many servers know nothing at the address of a socket but handshakes, and hold a request without a word.
  if (found.kind === 'refused') return pattern === 'websocket' ? pattern : undefined;
  return found.kind === 'silent' && found.code === 'silent' ? pattern : undefined;
}

function oursOf({ pattern: serves, base }: Found & { kind: 'ours' }, asked: FollowPattern | undefined) {
  if (!isFollowPattern(serves))
    throw new UserError(
      'pattern',
      `${base.host} serves webhooks, which come to an address of yours. What happens to deliveries can be ` +
        `followed: pushbench follow ${base.origin}/webhooks/stream`,
    );
  if (asked !== undefined && asked !== serves)
    throw new UserError('pattern', `${base.host} serves ${serves}, not ${asked}; leave out --pattern.`);
  return serves;
}

function unrecognised(url: URL, found: Awaited<ReturnType<typeof find>>): UserError {
  const failed = (message: string) => new UserError('follow', message, exitCodes.failed);
  const say = (text: string) => oneLine(text).slice(0, longestQuote);
  switch (found.kind) {
    case 'silent':
      return failed(whySilent(url.host, found.code, say(found.message)));
    case 'refused':
      if (found.location !== undefined)
        return failed(
          `${url.href} redirects to ${say(found.location)}; redirects are not followed, so name that.`,
        );
      return failed(
        `${url.href} answered ${found.status}${found.message === '' ? '' : `: ${say(found.message)}`}`,
      );
    default: {
      const type = 'type' in found ? say(found.type) || 'no content type' : 'something else';
      return failed(
        `${url.href} answered with ${type}, which does not show the pattern. ` +
          `Name it: --pattern ${listNames(Object.keys(followers), Infinity)}.`,
      );
    }
  }
}

function whySilent(host: string, code: string, message: string): string {
  if (code === 'ECONNREFUSED') return `Nothing listens at ${host}. Is the server running?`;
  if (code === 'silent')
    return `${host}: ${message}. If it holds requests, name the pattern: --pattern long-polling.`;
  const hint = /CERT|ISSUER/.test(code) ? ' Name the authority that signed its certificate with --ca.' : '';
  return `${host} did not answer: ${message} (${code}).${hint}`;
}

function isFollowPattern(name: string): name is FollowPattern {
  return Object.hasOwn(followers, name);
}

function noPattern(name: string): UserError {
  const all = Object.keys(followers);
  const near = nearest(name, all);
  return new UserError(
    'pattern',
    `--pattern ${name} cannot be followed${near ? `; did you mean "${near}"?` : '.'} There are: ` +
      `${all.join(', ')}.`,
  );
}

function headersOf(fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    fields.map((field) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/.exec(field) ?? [];
      if (name === undefined || value === undefined)
        throw new UserError('header', 'A --header is written as Name: value, on one line.');
      if (/^(?:host|connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$/i.test(name))
        throw new UserError('header', `pushbench sets the header ${name} itself.`);
      return [name.toLowerCase(), value];
    }),
  );
}

function authority(path: string): string {
  const pem = readText(path, 'authority', { code: 'ca', what: `Cannot read the authority ${path}` });
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new UserError('ca', `${path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----).`);
}

function durationMs(flag: string, text: string, least: number): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= least) return ms;
  throw new UserError(
    flag.slice(2),
    `${flag} ${text} is not a time of ${least} ms or more: write it as 10s or 500ms.`,
  );
}
