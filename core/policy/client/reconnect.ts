// Decides when a client comes back after a failure, by a policy (presets.ts) and by the server's advice:
// never earlier than the server asked, spread over a window that it announced, and not at all if it asked
// for too long a wait or the policy has reached its end. Numbers in, numbers out: the same rule serves
// subscribers over sockets and simulated ones in virtual time. Webhook senders have policies of their own
// (retry-policy.ts).

import type { Random } from '../../base/random.ts';
import { presets, type Advice, type Backoff, type PolicyName, type Preset, type Reset } from './presets.ts';
import { parseRetryAfterMs } from './retry-after.ts';

export { backoffMs, type Backoff } from './presets.ts';

/** How clients wait. What is left out is full jitter's, or else the policy's own. */
export type ReconnectPolicy = Backoff & {
  readonly policy?: PolicyName;
  readonly reset?: Reset;
  readonly advice?: Advice;
};

/** What a client remembers until it comes back. */
export type Comeback = {
  /** Failures since the backoff last started again. */
  failures: number;
  /** Failures since the client began: what says to which server it goes (choose-server.ts). */
  turns: number;
  /** The server asked for at least this wait before the next attempt; forgotten with the attempt. */
  leastMs: number;
  /** The reconnection time that the server gave for all further attempts; -1 while it has given none. */
  reconnectionMs: number;
  /** The same where it came after a window was announced, for the next attempt alone; 0 otherwise. */
  laterMs: number;
  /** The window that the server announced for the first attempt after a loss; 0 where it announced none. */
  windowMs: number;
  /** Since when it has what it asked for, on the clock of `nowMs`; -1 while it has not. */
  openMs: number;
  /** When the first failure of this row was; -1 before one. */
  lostMs: number;
  /** The row began with the loss of something that was open. */
  wasOpen: boolean;
  /** The last wait of this row. */
  lastWaitMs: number;
  /** The status of an answer that was not the stream that it asked for; 0 where there was none. */
  refusedWith: number;
  /** Why it gave up. */
  ended: 'asked' | 'tried' | 'refused' | undefined;
};

/** A client that is asked to stay away for longer gives up: it would not be back before any trial is over. */
export const longestAskedMs = 10 * 60_000;

/** No window that a server announces counts for more. */
export const longestWindowMs = 60_000;

export function newComeback(): Comeback {
  return {
    failures: 0,
    turns: 0,
    leastMs: 0,
    reconnectionMs: -1,
    laterMs: 0,
    windowMs: 0,
    openMs: -1,
    lostMs: -1,
    wasOpen: false,
    lastWaitMs: 0,
    refusedWith: 0,
    ended: undefined,
  };
}

/**
 * Takes the Retry-After of an answer that is not a success, whatever its status. One that cannot be read asks
 * for nothing.
 * @param header the field's value, undefined where the answer has none
 * @param nowMs the wall clock, in milliseconds since 1970
 */
export function noteRetryAfter(client: Comeback, header: string | undefined, nowMs: number): void {
  if (header !== undefined) noteAsked(client, parseRetryAfterMs(header, nowMs) ?? 0);
}

/** The server asked for at least this wait before the next attempt. */
export function noteAsked(client: Comeback, leastMs: number): void {
  client.leastMs = Math.max(client.leastMs, leastMs);
}

/**
 * The server named its reconnection time: what EventSource waits before each further attempt (HTML standard,
 * section 9.2.3). It takes the place of the client's own base.
 */
export function noteReconnectionTime(client: Comeback, ms: number): void {
  client.reconnectionMs = client.laterMs = ms;
}

/**
 * The server announced over how long its clients are to spread when they lose it: the first attempt after
 * the loss is drawn from that window.
 * @param windowMs as the server wrote it; anything but a number above 0 announces nothing
 */
export function noteWindow(client: Comeback, windowMs: unknown): void {
  const ms = typeof windowMs === 'number' && windowMs > 0 ? windowMs : 0;
  client.windowMs = Math.min(ms, longestWindowMs);
  client.laterMs = 0;
}

/** The client asked for a stream, and the answer is none. */
export function noteRefusal(client: Comeback, status: number): void {
  client.refusedWith = status;
}

/**
 * The client got what it had asked for: a stream that was opened, or a whole answer.
 * @param nowMs on the clock of `takeWaitMs`
 */
export function noteSuccess(client: Comeback, nowMs: number): void {
  if (client.openMs < 0) client.openMs = nowMs;
  client.leastMs = 0;
}

/**
 * The handshake of its WebSocket succeeded, and no message has come yet. For a client whose policy goes by
 * the handshake alone, that is success.
 * @param nowMs on the clock of `takeWaitMs`
 */
export function noteHandshake(
  client: Comeback,
  { policy = 'full-jitter' }: Pick<ReconnectPolicy, 'policy'>,
  nowMs: number,
): void {
  if (presets[policy].openWith === 'handshake') noteSuccess(client, nowMs);
}

/**
 * The client has failed: when it tries again. First comes the wait that the server asked for, if the client
 * listens to such advice. Then comes a wait of its own: from the window that the server announced, or else by
 * the policy. Full jitter's base is at least the wait that the server asked for, so that clients that were
 * sent away together do not come back together.
 * @param nowMs on any clock that only goes on
 * @returns the wait in milliseconds; undefined when the client gives up, and `client.ended` says why
 */
export function takeWaitMs(
  client: Comeback,
  policy: ReconnectPolicy,
  random: Random,
  nowMs: number,
): number | undefined {
  const preset = presets[policy.policy ?? 'full-jitter'];
  beginRow(client, policy.reset ?? preset.reset, nowMs);
  const advice = policy.advice ?? preset.advice;
  const askedMs = advice === 'obey' ? client.leastMs : 0;
  const retryMs = advice === 'ignore' ? -1 : client.reconnectionMs;
  const windowMs = advice === 'obey' ? client.windowMs : 0;
  const { refusedWith, laterMs } = client;
  client.leastMs = client.laterMs = client.windowMs = client.refusedWith = 0;
  if (Math.max(askedMs, retryMs) > longestAskedMs) return giveUp(client, 'asked');
  if (refusedWith > 0 && preset.endsOnRefusal) return giveUp(client, 'refused');
  const waitMs =
    windowMs > 0
      ? Math.max(askedMs, laterMs) + random() * windowMs
      : ownWaitMs(client, policy, preset, { askedMs, retryMs, nowMs }, random);
  if (waitMs === undefined) return giveUp(client, 'tried');
  client.failures++;
  client.turns++;
  client.lastWaitMs = waitMs;
  return waitMs;
}

/**
 * How much a client obeys of a wait that a server asks for without a failure, such as a draining server.
 */
export function heardMs({ policy, advice }: ReconnectPolicy, askedMs: number): number {
  const heard = advice ?? presets[policy ?? 'full-jitter'].advice;
  return heard === 'obey' && askedMs <= longestAskedMs ? askedMs : 0;
}

/** Whether this failure is the first of a row. */
function beginRow(client: Comeback, reset: Reset, nowMs: number): void {
  const { openMs } = client;
  client.openMs = -1;
  if (openMs >= 0 && (reset === 'on-open' || nowMs - openMs >= reset.stable)) {
    client.failures = 0;
    client.lastWaitMs = 0;
    client.wasOpen = true;
    client.lostMs = nowMs;
  } else if (client.lostMs < 0) {
    client.lostMs = nowMs;
  }
}

function ownWaitMs(
  { failures, lastWaitMs, lostMs, wasOpen }: Comeback,
  policy: ReconnectPolicy,
  preset: Preset,
  { askedMs, retryMs, nowMs }: { askedMs: number; retryMs: number; nowMs: number },
  random: Random,
): number | undefined {
  const leastMs = Math.max(askedMs, retryMs, 0);
  if (preset.asked === 'replaces' && leastMs > 0) return leastMs;
  const backoff = preset.asked === 'stretches' ? stretch(policy, leastMs, retryMs) : policy;
  const situation = { failures, lastMs: lastWaitMs, awayMs: nowMs - lostMs, wasOpen };
  const ownMs = preset.waitMs(situation, backoff, random);
  return ownMs === undefined ? undefined : leastMs + ownMs;
}

function stretch({ base, cap }: Backoff, leastMs: number, retryMs: number): Backoff {
  // A base of 0 would never grow.
  const ownBase = retryMs < 0 ? base : Math.max(1, retryMs);
  return { base: Math.max(ownBase, leastMs), cap: Math.min(cap, longestAskedMs) };
}

function giveUp(client: Comeback, why: Comeback['ended']): undefined {
  client.ended = why;
}
