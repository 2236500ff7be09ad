// Writes the event as it goes over the wire; envelope.ts has its form, and reads it.

export type Envelope = {
  id: string;
  topic: string;
  seq: number;
  plannedUs: number;
  sentUs: number;
  acceptedUs: number;
  /** CRC-32 of the body's bytes as published, when the publisher gave it. */
  crc?: number;
  /** The body exactly as published. */
  body: string;
};

/**
 * The event as one line of JSON, without the line end. The body must be well-formed text (no lone surrogate).
 */
export function encodeEnvelope(event: Envelope): string {
  return joinEnvelope(event.id, event.topic, event.seq, encodeRest(event));
}

/**
 * What stands behind an event's number: all that is known of it before it has one. What servers give one
 * another, so that one of them alone reads the body.
 */
export function encodeRest(event: Omit<Envelope, 'id' | 'topic' | 'seq'>): string {
  const { plannedUs, sentUs, acceptedUs, crc, body } = event;
  const check = crc === undefined ? '' : `,"crc":${crc}`;
  const tail = isOneLineJson(body) ? `"body":${body}` : `"text":${JSON.stringify(body)}`;
  return `,"planned":${plannedUs},"sent":${sentUs},"accepted":${acceptedUs}${check},${tail}}`;
}

/** @param rest as `encodeRest` wrote it */
export function joinEnvelope(id: string, topic: string, seq: number, rest: string): string {
  return `{"id":"${id}","topic":"${topic}","seq":${seq}${rest}`;
}

function isOneLineJson(text: string): boolean {
  // A CR or LF would end an SSE field or an NDJSON line; U+2028 and the like are harmless in both.
  if (text.includes('\n') || text.includes('\r')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
