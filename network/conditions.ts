// Decides what the network does: when bytes may go on, how long connecting takes, when a silent connection is
// cut. Pure, with the clock and random numbers given, so that it can be tested in virtual time.

import type { Random } from '../core/base/random.ts';
import type { Conditions, Direction } from '../core/network/conditions.ts';

/** What a TCP segment carries over Ethernet: 1500 bytes less 40 of headers and 12 of time stamps. */
export const segmentBytes = 1448;
/** A large chunk is passed on in pieces of so much time, so that it flows and does not come at once. */
const pieceUs = 20_000;
/** Linux waits this long beyond the round trip before it sends a segment again (TCP_RTO_MIN). */
const retransmitLeastUs = 200_000;
/** Before the first answer there is no round trip to go by (RFC 6298, section 2.1). */
const retransmitFirstUs = 1_000_000;
/** Waits double up to this (RFC 6298, section 2.5, allows any limit of a minute or more). */
const retransmitMostUs = 60_000_000;

/** One direction of a connection: what it has carried so far decides when the next bytes arrive. */
export type Link = {
  /** Bytes that may be sent without waiting; below zero they are owed. */
  tokens: number;
  tokensAtUs: number;
  /** When the bytes before these arrive. */
  lastUs: number;
  /** From when on something can be sent. */
  readonly fromUs: number;
};

export function newLink(fromUs: number): Link {
  return { tokens: Infinity, tokensAtUs: fromUs, lastUs: fromUs, fromUs };
}

/** How many bytes travel together. */
export function pieceBytes({ bandwidth, loss }: Conditions, direction: Direction): number {
  const perS = bandwidth?.[direction];
  const flowing = perS === undefined ? Infinity : Math.max(segmentBytes, (perS * pieceUs) / 1e6);
  // A segment that is lost holds up those behind it and none before it.
  return Math.floor(Math.min(flowing, loss === undefined ? Infinity : 4 * segmentBytes));
}

/**
 * When a piece that is sent now arrives: after it has been sent at the link's bandwidth, has been under way,
 * and has been sent again as often as it was lost. It never arrives before earlier pieces.
 */
export function arrivalUs(
  link: Link,
  bytes: number,
  nowUs: number,
  conditions: Conditions,
  direction: Direction,
  random: Random,
): number {
  const { latencyMs = 0, jitterMs = 0, loss = 0, bandwidth } = conditions;
  const startUs = Math.max(nowUs, link.fromUs);
  const sentUs = startUs + spend(link, bytes, startUs, bandwidth?.[direction]);
  const underWayUs = 1000 * (jitterMs === 0 ? latencyMs : latencyMs + (2 * random() - 1) * jitterMs);
  const stalledUs = loss === 0 ? 0 : stallUs(bytes, loss, latencyMs, random);
  link.lastUs = Math.max(link.lastUs, sentUs + Math.max(0, underWayUs) + stalledUs);
  return link.lastUs;
}

/** Takes bytes out of the link's bucket. @returns how long until they are paid for */
function spend(link: Link, bytes: number, nowUs: number, perS: number | undefined): number {
  if (perS === undefined) {
    link.tokens = Infinity;
    return 0;
  }
  const most = Math.max(segmentBytes, (perS * pieceUs) / 1e6);
  const grown = link.tokens + ((nowUs - link.tokensAtUs) / 1e6) * perS;
  link.tokens = Math.min(most, grown) - bytes;
  link.tokensAtUs = nowUs;
  return link.tokens >= 0 ? 0 : (-link.tokens / perS) * 1e6;
}

/**
 * How long the receiver waits for a piece of which a segment was lost: a retransmission timeout, twice that
 * when it is lost again, and so on. A model of what applications see.
 */
function stallUs(bytes: number, loss: number, latencyMs: number, random: Random): number {
  const segments = Math.ceil(bytes / segmentBytes);
  if (random() >= 1 - (1 - loss) ** segments) return 0;
  return timeoutsUs(2000 * latencyMs + retransmitLeastUs, loss, random);
}

/** The first timeout, and one twice as long whenever the segment is lost again. */
function timeoutsUs(firstUs: number, loss: number, random: Random): number {
  let waitedUs = firstUs;
  for (let nextUs = 2 * firstUs; random() < loss; nextUs = Math.min(2 * nextUs, retransmitMostUs))
    waitedUs += nextUs;
  return waitedUs;
}

/**
 * How long after a client began to connect its first bytes can be on their way: a round trip (SYN and
 * SYN-ACK), and a timeout where one of these is lost. The client is connected to our proxy earlier, so its
 * first bytes wait here.
 */
export function handshakeUs({ latencyMs = 0, loss = 0 }: Conditions, random: Random): number {
  const lost = loss > 0 && random() < 1 - (1 - loss) ** 2;
  return 2000 * latencyMs + (lost ? timeoutsUs(retransmitFirstUs, loss, random) : 0);
}

/** Whether a connection that was silent since then is cut. */
export function isIdle(lastUs: number, nowUs: number, { idleMs }: Conditions): boolean {
  return idleMs !== undefined && nowUs - lastUs >= idleMs * 1000;
}

/** How often to look for idle connections: a twentieth of the time, so that none is cut much later. */
export function idleCheckMs({ idleMs }: Conditions): number {
  return idleMs === undefined ? Infinity : Math.min(1000, Math.max(10, idleMs / 20));
}

/** Whether nothing passes in that direction. */
export function isSilent({ silence }: Conditions, direction: Direction): boolean {
  return silence === 'both' || silence === direction;
}
