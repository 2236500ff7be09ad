// The answer that polling and long polling share: `{"cursor":"...","events":[...]}` (docs/wire.md).

import type { HubEvent } from './hub.ts';

/** The events are put in as they stand: each was encoded once, when it was published. */
export function encodeAnswer(cursor: string, reset: boolean, events: readonly HubEvent[]): string {
  let list = '';
  for (const { json } of events) list += list === '' ? json : `,${json}`;
  return `{"cursor":"${cursor}"${reset ? ',"reset":true' : ''},"events":[${list}]}`;
}

/** The first of the events that fit into so many bytes; the very first one whatever its size. */
export function takeUpTo(events: HubEvent[], maxBytes: number): HubEvent[] {
  let bytes = 0;
  const end = events.findIndex(({ json }, i) => (bytes += Buffer.byteLength(json)) > maxBytes && i > 0);
  return end < 0 ? events : events.slice(0, end);
}
