// The answer that polling and long polling share: `{"cursor":"...","events":[...]}` (docs/wire.md).

import type { HubEvent } from './hub.ts';

/** The events are put in as they stand: each was encoded once, when it was published. */
export function encodeAnswer(cursor: string, reset: boolean, events: readonly HubEvent[]): string {
  let list = '';
  for (const { json } of events) list += list === '' ? json : `,${json}`;
  return `{"cursor":"${cursor}"${reset ? ',"reset":true' : ''},"events":[${list}]}`;
}

/** The events up to the one with which they reach so many bytes. */
export function takeUntil(events: HubEvent[], enoughBytes: number): HubEvent[] {
  let bytes = 0;
  const last = events.findIndex(({ json }) => (bytes += Buffer.byteLength(json)) >= enoughBytes);
  return last < 0 ? events : events.slice(0, last + 1);
}
