// Reads the messages of a WebSocket client: `{"publish":"topic","ref":1,"body":...}` (docs/wire.md), with
// time stamps if the client measures. The body is taken from the message byte for byte; parsing and writing
// it again would change numbers.

import { topicPattern } from '../../core/event/envelope.ts';
import type { Stamps } from '../hub/event.ts';
import { readStamps, type WrongStamp } from '../hub/stamps.ts';

export type Upstream =
  | { kind: 'publish'; ref: number; topic: string; body: string; stamps: Stamps }
  /** The client gets an answer and may go on. */
  | { kind: 'refused'; ref: number; reason: string }
  /** No JSON. */
  | { kind: 'malformed' }
  /** JSON, but not such a message, so that there is nothing to answer to. */
  | { kind: 'unknown' };

/** @param maxBodyBytes a larger body is refused */
export function readUpstream(text: string, maxBodyBytes: number): Upstream {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { kind: 'malformed' };
  }
  if (typeof message !== 'object' || message === null || !('publish' in message) || !('ref' in message))
    return { kind: 'unknown' };
  const { publish, ref } = message;
  if (typeof ref !== 'number' || !Number.isSafeInteger(ref)) return { kind: 'unknown' };
  const refused = (reason: string): Upstream => ({ kind: 'refused', ref, reason });
  if (typeof publish !== 'string' || !topicPattern.test(publish))
    return refused('publish names no topic: 1 to 128 of A-Z a-z 0-9 . _ : ~ -');
  const body = sourceOf(text, 'body');
  if (body === undefined) return refused('there is no body');
  if (Buffer.byteLength(body) > maxBodyBytes) return refused(`the body is larger than ${maxBodyBytes} bytes`);
  const stamps = stampsOf(message);
  if ('wrong' in stamps) return refused(`${stamps.wrong} ${stamps.why}`);
  return { kind: 'publish', ref, topic: publish, body, stamps };
}

/** `planned`, `sent`, `crc` and `seq`, as in the headers of a published event. */
function stampsOf(message: object): Stamps | WrongStamp {
  return readStamps((name) => {
    const value = (message as Record<string, unknown>)[name]; // parsed JSON
    if (value === undefined) return undefined;
    return typeof value === 'number' ? value : NaN;
  });
}

/**
 * The text of a member's value. `json` is valid and an object; of several members of a name the last
 * counts, as for `JSON.parse`.
 */
function sourceOf(json: string, name: string): string | undefined {
  let depth = 0;
  let key = '';
  /** Behind the colon of the member at hand; 0 before it. */
  let from = 0;
  let found: string | undefined;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '"': {
        const start = at;
        for (at++; json[at] !== '"'; at++) if (json[at] === '\\') at++;
        if (depth === 1 && from === 0) key = JSON.parse(json.slice(start, at + 1)) as string;
        break;
      }
      case ':':
        if (depth === 1) from = at + 1;
        break;
      case '{':
      case '[':
        depth++;
        break;
      case '}':
      case ']':
      case ',':
        if (depth === 1) {
          if (key === name && from > 0) found = json.slice(from, at).trim();
          from = 0;
        }
        if (json[at] !== ',') depth--;
        break;
    }
  }
  return found;
}
