// Reads the event on the wire, the same in every pattern: one line of JSON with its fields in a fixed order,
// so that a load client finds what it needs in the first bytes and never parses the body. write-envelope.ts
// writes it.
//
//   {"id":"k3f9a1-57","topic":"news","seq":12,"planned":81,"sent":82,"accepted":85,"crc":123,"body":{...}}
//
// `id` is also the resume cursor: the hub's epoch and the event's offset in the hub's one log. `seq` counts
// from 1 within the topic. Times are microseconds of the host's monotonic clock; `planned` is when the
// schedule wanted the event, `sent` when the publisher let it go, `accepted` when the hub took it.
// A body that is JSON on one line stands there as it is (`body`), any other text as a JSON string (`text`).

import type { Envelope } from './write-envelope.ts';

export { encodeEnvelope, encodeRest, joinEnvelope, type Envelope } from './write-envelope.ts';

/** What `locate` finds. One object is reused for every event, so take what you keep. */
export type Located = {
  topic: string;
  seq: number;
  plannedUs: number;
  sentUs: number;
  acceptedUs: number;
  /** -1 when the event carries none. */
  crc: number;
  /** The body's first byte and the one behind its last, in the buffer given. */
  bodyFrom: number;
  bodyTo: number;
  /** Whether those bytes are a JSON string that holds the body (`text`), not the body itself. */
  quoted: boolean;
};

export const topicPattern = /^[A-Za-z0-9._:~-]{1,128}$/;
export const cursorPattern = /^([a-z0-9]{1,16})-(\d{1,15})$/;

/**
 * Reads an envelope that `encodeEnvelope` wrote, whole, for code off the hot path.
 * @throws SyntaxError when it is not one
 */
export function decodeEnvelope(line: string): Envelope {
  const bytes = Buffer.from(line);
  const at = newLocated();
  if (!locate(bytes, 0, bytes.length, at))
    throw new SyntaxError(`not an event envelope: ${line.slice(0, 120)}`);
  const raw = bytes.toString('utf8', at.bodyFrom, at.bodyTo);
  const { topic, seq, plannedUs, sentUs, acceptedUs, crc } = at;
  const id = line.slice(7, line.indexOf('"', 7));
  const parsed: unknown = JSON.parse(raw);
  const body = at.quoted ? String(parsed) : raw;
  return { id, topic, seq, plannedUs, sentUs, acceptedUs, body, ...(crc < 0 ? {} : { crc }) };
}

export function newLocated(): Located {
  return {
    topic: '',
    seq: 0,
    plannedUs: 0,
    sentUs: 0,
    acceptedUs: 0,
    crc: -1,
    bodyFrom: 0,
    bodyTo: 0,
    quoted: false,
  };
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const braceClose = 0x7d;
const backslash = 0x5c;

/**
 * Finds the fields of the envelope in bytes `from`..`to` without allocating more than the topic's name.
 * A body that was cut off behind a brace of its own is not noticed, since that takes parsing it; the wire's
 * framing and the checksum tell.
 * @returns false when the bytes are not an envelope in the fixed order; `into` is then undefined
 */
export function locate(bytes: Buffer, from: number, to: number, into: Located): boolean {
  // {"id":"
  if (to - from < 60 || bytes[from + 2] !== 0x69 || bytes[from + 6] !== quote) return false;
  let at = endOfText(bytes, from + 7, to);
  // ","topic":"
  if (bytes[at + 3] !== 0x74 || bytes[at + 10] !== quote) return false;
  const topicFrom = at + 11;
  at = endOfText(bytes, topicFrom, to);
  // Most events are of the topic of the one before: comparing costs a fifth of making the string again.
  if (!stands(into.topic, bytes, topicFrom, at)) into.topic = bytes.toString('latin1', topicFrom, at);
  into.seq = number(bytes, at + 8, to); // ","seq":
  into.plannedUs = number(bytes, numberEnd + 11, to); // ,"planned":
  into.sentUs = number(bytes, numberEnd + 8, to); // ,"sent":
  into.acceptedUs = number(bytes, numberEnd + 12, to); // ,"accepted":
  into.crc = -1;
  if (into.seq < 0 || into.plannedUs < 0 || into.sentUs < 0 || into.acceptedUs < 0) return false;
  if (bytes[numberEnd + 2] === 0x63) {
    into.crc = number(bytes, numberEnd + 7, to); // ,"crc":
    if (into.crc < 0) return false;
  }
  at = numberEnd;
  // ,"body": or ,"text":
  const initial = bytes[at + 2];
  if (
    bytes[at] !== comma ||
    bytes[at + 7] !== colon ||
    (initial !== 0x62 && initial !== 0x74) ||
    bytes[to - 1] !== braceClose
  )
    return false;
  into.quoted = initial === 0x74;
  into.bodyFrom = at + 8;
  into.bodyTo = to - 1;
  return into.quoted ? isQuoted(bytes, into.bodyFrom, into.bodyTo) : into.bodyFrom < into.bodyTo;
}

/** Where the number that `number` read last ended; a second result without an allocation. */
let numberEnd = 0;

/** @returns the whole number that begins at `from`, -1 when there is none or JavaScript cannot hold it */
function number(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  let n = 0;
  for (; at < to; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    n = n * 10 + digit;
  }
  numberEnd = at;
  return at === from || n > Number.MAX_SAFE_INTEGER ? -1 : n;
}

function endOfText(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== quote) at++;
  return at;
}

/** Whether a JSON string fills the bytes: its last quote is not an escaped one. */
function isQuoted(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 2 || bytes[from] !== quote || bytes[to - 1] !== quote) return false;
  let backslashes = 0;
  for (let at = to - 2; at > from && bytes[at] === backslash; at--) backslashes++;
  return backslashes % 2 === 0;
}

function stands(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
