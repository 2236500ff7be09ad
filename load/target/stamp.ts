// Finds the publisher's envelopes in what a target sends back, whatever it wrapped them in: as they
// are, anywhere in other text (multipart, a JSON object, several in a row), or as a JSON string, quotes
// escaped, at any depth. Those are found in place and cost a scan. JSON that the target parsed and wrote
// again is parsed here too.

import { encodeEnvelope } from '../../core/event/envelope.ts';
import { endOfObject } from '../wire/poll-answer.ts';

const quote = 0x22;
const backslash = 0x5c;
const openings = [0, 1, 3, 7].map((k) => {
  const escaped = `${'\\'.repeat(k)}"`;
  return Buffer.from(`{${escaped}id${escaped}:${escaped}`);
});
/** Deeper than any envelope around an envelope. */
const deepest = 16;

export type TakeStamp = (bytes: Buffer, from: number, to: number) => void;

/**
 * Calls `take` with each envelope of the trial in bytes `from`..`to`, valid during the call only.
 * @param marker of the trial: its run and a dash, which the ids of its events begin with
 * @returns how many there were
 */
export function findStamps(marker: Buffer, bytes: Buffer, from: number, to: number, take: TakeStamp): number {
  let found = 0;
  for (let at = from; at < to;) {
    const hit = bytes.subarray(at, to).indexOf(marker);
    if (hit < 0) return found;
    const end = takeAt(bytes, at, at + hit, to, take);
    if (end < 0) return found + takeRewritten(marker.toString(), bytes.toString('utf8', at, to), take);
    found++;
    at = end;
  }
  return found;
}

/**
 * Takes the envelope whose id begins at `hit`.
 * @returns the byte behind it, -1 when it does not stand there as it was sent
 */
function takeAt(bytes: Buffer, from: number, hit: number, to: number, take: TakeStamp): number {
  if (bytes[hit - 1] !== quote) return -1;
  let escapes = 0;
  while (hit - 2 - escapes >= from && bytes[hit - 2 - escapes] === backslash) escapes++;
  const depth = Math.log2(escapes + 1);
  const opening = openings[depth];
  const start = hit - (opening?.length ?? 0);
  if (!opening || start < from || bytes.compare(opening, 0, opening.length, start, hit) !== 0) return -1;
  if (depth === 0) {
    const end = endOfObject(bytes, start, to);
    if (end > 0) take(bytes, start, end);
    return end;
  }
  const end = endOfString(bytes, start, to, escapes);
  if (end < 0) return -1;
  let text = bytes.toString('utf8', start, end);
  try {
    for (let i = 0; i < depth; i++) text = JSON.parse(`"${text}"`) as string; // of a JSON string
  } catch {
    return -1;
  }
  const plain = Buffer.from(text);
  take(plain, 0, plain.length);
  return end;
}

/** Where a string ends whose own quotes have `escapes` backslashes before them: at a quote with fewer. */
function endOfString(bytes: Buffer, from: number, to: number, escapes: number): number {
  let run = 0;
  for (let at = from; at < to; at++) {
    if (bytes[at] === backslash) {
      run++;
    } else {
      if (bytes[at] === quote && run < escapes) return at - run;
      run = 0;
    }
  }
  return -1;
}

/**
 * The envelopes in JSON, or in lines of JSON, that somebody parsed and wrote again: other
 * blanks, another order of keys.
 */
function takeRewritten(marker: string, text: string, take: TakeStamp): number {
  let found = 0;
  const walk = (value: unknown, depth: number): void => {
    if (depth > deepest) return;
    if (typeof value === 'string') {
      if (value.includes(marker)) for (const one of parsed(value)) walk(one, depth + 1);
    } else if (Array.isArray(value)) {
      for (const one of value) walk(one, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      const line = envelopeOf(value, marker);
      if (line === undefined) for (const one of Object.values(value)) walk(one, depth + 1);
      else {
        found++;
        take(line, 0, line.length);
      }
    }
  };
  for (const value of parsed(text)) walk(value, 0);
  return found;
}

function parsed(text: string): unknown[] {
  const attempt = (one: string): unknown[] => {
    try {
      return [JSON.parse(one)];
    } catch {
      return [];
    }
  };
  const whole = attempt(text);
  if (whole.length > 0) return whole;
  // Text around it (a multipart boundary, several values in a row): each line, else what lies
  // between the outermost braces.
  const lines = text.split(/\r?\n/).flatMap(attempt);
  const open = text.indexOf('{');
  return lines.length > 0 || open < 0 ? lines : attempt(text.slice(open, text.lastIndexOf('}') + 1));
}

function envelopeOf(value: object, marker: string): Buffer | undefined {
  const { id, topic, seq, planned, sent, crc, body, text } = value as Record<string, unknown>;
  if (typeof id !== 'string' || !id.startsWith(marker) || typeof topic !== 'string') return undefined;
  if (typeof seq !== 'number' || typeof planned !== 'number' || typeof sent !== 'number') return undefined;
  const original = typeof text === 'string' ? text : JSON.stringify(body);
  if (original === undefined) return undefined;
  return Buffer.from(
    encodeEnvelope({
      id,
      topic,
      seq,
      plannedUs: planned,
      sentUs: sent,
      acceptedUs: 0,
      body: original,
      ...(typeof crc === 'number' && { crc }),
    }),
  );
}
