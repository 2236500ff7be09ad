// Computes how many bytes requests, answers and events take on the wire, from the same texts that servers
// and load clients write (docs/wire.md). What differs from run to run only in its digits (times, ports,
// checksums) has the length that it mostly has.

import { encodeEnvelope } from '../../core/event/write-envelope.ts';
import type { TopicGroupPlan } from '../../core/scenario/topics.ts';

const epoch = 'eeeeee';
/** Hours of a host's monotonic clock. */
export const usualClockUs = 20_000_000_000;
const crc = 3_000_000_000;
const host = '127.0.0.1:40000';
const date = 'Date: Mon, 23 Nov 2026 12:00:00 GMT';

/** @param events that the server has taken, those that warmed it up among them */
export function cursorOf(events: number): string {
  return `${epoch}-${Math.round(events)}`;
}

/**
 * Of an envelope without its topic and body, and without the digits of its two numbers.
 * @param clockUs what the host's clock says: an envelope has it three times
 */
export function bareEnvelopeBytes(clockUs: number): number {
  const bare = encodeEnvelope({
    id: `${epoch}-`,
    topic: '',
    seq: 1,
    plannedUs: clockUs,
    sentUs: clockUs,
    acceptedUs: clockUs,
    crc,
    body: '0',
  });
  return bare.length - 2;
}

/**
 * @param bareBytes of an envelope that says nothing
 * @param before events that the server has taken before it, and of its topic
 */
export function envelopeBytes(
  bareBytes: number,
  topicBytes: number,
  bodyBytes: number,
  before: { events: number; ofTopic: number },
): number {
  return bareBytes + digits(before.events) + digits(Math.max(1, before.ofTopic)) + topicBytes + bodyBytes;
}

export function topicBytes(groups: readonly TopicGroupPlan[], topic: number): number {
  const group = groups.find(({ first, count }) => topic >= first && topic < first + count)!;
  return group.name.length + (group.count === 1 ? 0 : 1 + digits(topic - group.first));
}

/** A chunk of a chunked body (RFC 9112, section 7.1). */
export function chunkBytes(contentBytes: number): number {
  return contentBytes.toString(16).length + 2 + contentBytes + 2;
}

/** A frame from server to client (RFC 6455, section 5.2). */
export function frameBytes(payloadBytes: number): number {
  return payloadBytes + (payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10);
}

/** The head of a message of HTTP/1.1: each line and the empty one. */
export function headBytes(...lines: (string | false)[]): number {
  return lines.reduce((sum, line) => sum + (line === false ? 0 : line.length + 2), 2);
}

export function requestBytes(target: string, ...fields: (string | false)[]): number {
  return headBytes(`GET ${target} HTTP/1.1`, `host: ${host}`, ...fields);
}

/** What node:http adds to an answer by itself. */
export function answerFields(connection: unknown): string[] {
  return connection === 'close'
    ? ['connection: close', date]
    : [date, 'Connection: keep-alive', 'Keep-Alive: timeout=900'];
}

/** `{"cursor":"...","events":[` and `]}`, around events that have commas between them. */
export function pollBodyBytes(cursor: string): number {
  return `{"cursor":"${cursor}","events":[]}`.length;
}

export function digits(whole: number): number {
  let count = 1;
  for (let rest = Math.floor(whole); rest >= 10; rest /= 10) count++;
  return count;
}
