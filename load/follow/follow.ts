// Follows one address and tells what comes: one subscriber of the load clients, of our servers by all of
// their rules, of others by those of the pattern. Asks nothing but the address that was named.

import { decodeEnvelope, type Envelope } from '../../core/event/envelope.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { newCounters } from '../../core/result/counters.ts';
import type { LoadContext, RunningLoad, Sink } from '../pattern.ts';
import { loads } from '../registry.ts';
import type { Connector } from '../wire/connection.ts';
import { followers, type Message } from './any-server.ts';
import { askOnce } from './ask-once.ts';
import { acceptAny, recognise, type FollowPattern, type Found } from './recognise.ts';

/** Something came; of our servers with its envelope. */
export type Received = Message & { envelope?: Envelope };

/** What is followed, whether the server is ours or not. */
export type Followed = { pattern: FollowPattern; ours: boolean; url: URL };

export type FollowOptions = {
  /** `http:` or `https:`; of a socket too. */
  url: URL;
  /** Undefined: what the server's answer says. */
  pattern: FollowPattern | undefined;
  /** Of our servers, for those that the address names. */
  topics: readonly string[];
  headers: Readonly<Record<string, string>>;
  /** PEM of an authority to trust besides the usual ones. */
  ca: string | undefined;
  everyMs: number;
  send: readonly string[];
};

export type FollowEvents = {
  /** It follows; again after each reconnection. */
  ready(atUs: number): void;
  lost(): void;
  received(message: Received): void;
  /** The server no longer had all that was missed. */
  reset(): void;
  problem(code: string, message: string): void;
  /** Nothing more comes. `failed`: not because the server said so. */
  ended(why: string, failed: boolean): void;
};

/** How long a server may take to say what it is. */
const askMs = 10_000;
/** Where the user has said what it is. */
const askAgainMs = 2000;
const reconnect = { base: 500, cap: 30_000 };

/** What stands at the address. */
export async function find(
  options: FollowOptions,
): Promise<Found | { kind: 'silent'; code: string; message: string }> {
  const { url, pattern, headers } = options;
  const connector = await connectorOf(options);
  const withinMs = pattern === undefined ? askMs : askAgainMs;
  const answer = await askOnce(url, { accept: acceptAny, ...headers }, connector, withinMs);
  return 'head' in answer ? recognise(url, answer) : { kind: 'silent', ...answer };
}

/** @returns ends it */
export async function follow(
  { pattern, ours, url }: Followed,
  options: FollowOptions,
  events: FollowEvents,
): Promise<Pick<RunningLoad, 'close'>> {
  const connector = await connectorOf(options);
  const counters = newCounters();
  const sink: Sink = {
    ready: (_subscriber, atUs) => events.ready(atUs),
    lost: () => events.lost(),
    reset: () => events.reset(),
    gone() {},
    event(_subscriber, bytes, from, to, atUs) {
      const text = bytes.toString('utf8', from, to);
      const envelope = envelopeIn(text);
      if (envelope) events.received({ atUs, text, envelope });
      return envelope !== undefined;
    },
    problem(code, message) {
      if (isEnd(code, message, ours)) events.ended(message, code === 'gave-up');
      else events.problem(code, message);
    },
  };
  const context: LoadContext = {
    endpoint: { url: url.href, over: 'h1', publishUrl: url.href },
    counters,
    reconnect,
    random: Math.random,
    topicsOf: () => [...options.topics],
    sourceAddress: () => '127.0.0.1',
    sink,
    ...(connector && { connector }),
  };
  const running = ours
    ? await startOurs(pattern, context, options.everyMs)
    : followers[pattern]({
        context,
        url,
        headers: options.headers,
        everyMs: options.everyMs,
        send: options.send,
        deliver(message) {
          const envelope = envelopeIn(message.text);
          events.received({ ...message, ...(envelope && { envelope }) });
        },
        ended: (why) => events.ended(why, false),
      });
  running.open(0);
  return running;
}

async function startOurs(
  pattern: FollowPattern,
  context: LoadContext,
  everyMs: number,
): Promise<RunningLoad> {
  const load = await loads[pattern]();
  const defaults = patterns[pattern].options.parse({});
  const options = 'every' in defaults ? { ...defaults, every: everyMs } : defaults;
  return load.start(context, options as never); // parsed by this very pattern's schema
}

/** What of a load client's problems says that it does not come back. */
function isEnd(code: string, message: string, ours: boolean): boolean {
  if (code === 'gave-up' || code === 'sse-stopped') return true;
  return ours && code === 'ws-closed' && /\b1001$/.test(message);
}

function envelopeIn(text: string): Envelope | undefined {
  if (!text.startsWith('{"id":"')) return undefined;
  try {
    return decodeEnvelope(text);
  } catch (error) {
    // Somebody else's JSON may begin alike.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function connectorOf({ url, ca }: FollowOptions): Promise<Connector | undefined> {
  if (url.protocol !== 'https:') return undefined;
  return (await import('../wire/secure.ts')).secureConnector(ca);
}
