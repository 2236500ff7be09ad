// Tells the next request of a poll what its client has had already, in the ways that targets know: validators
// (RFC 9110, section 13), a query parameter, or not at all.

import { locate, newLocated } from '../../core/event/envelope.ts';
import { parseJson } from '../../core/base/json.ts';
import type { TargetCursor } from '../../core/pattern/target-entry.ts';
import type { ResponseHead } from '../wire/http-head.ts';

/**
 * Kept for each client and sent with each request; a longer one is not a cursor, and
 * leaves the place where it was.
 */
const longestCursor = 4096;

/** Where one client is. */
export type Place = { etag: string; modified: string; since: string };

export function newPlace(): Place {
  return { etag: '', modified: '', since: '' };
}

/** Path and headers of the next request. */
export function askFrom(
  cursor: TargetCursor,
  target: string,
  place: Place,
): { target: string; headers: Record<string, string> } {
  if (cursor === 'none') return { target, headers: {} };
  if (cursor === 'etag') {
    return {
      target,
      headers: {
        ...(place.modified && { 'if-modified-since': place.modified }),
        ...(place.etag && { 'if-none-match': place.etag }),
      },
    };
  }
  if (place.since === '') return { target, headers: {} };
  return {
    target:
      `${target}` +
      (target.includes('?') ? '&' : '?') +
      `${encodeURIComponent(cursor.parameter)}=${encodeURIComponent(place.since)}`,
    headers: {},
  };
}

/** Moves the place as an answer says. An answer without a place leaves it where it was. */
export function moveBy(
  cursor: TargetCursor,
  place: Place,
  { headers }: ResponseHead,
  bytes: Buffer,
  from: number,
  to: number,
): void {
  if (cursor === 'none') return;
  if (cursor === 'etag') {
    place.etag = headers.get('etag') ?? place.etag;
    place.modified = headers.get('last-modified') ?? place.modified;
    return;
  }
  const said =
    cursor.header !== undefined
      ? headers.get(cursor.header.toLowerCase())
      : fieldOf(cursor.field ?? '', bytes, from, to);
  // Half a surrogate pair cannot stand in a URL.
  if (said !== undefined && said.length <= longestCursor) place.since = said.toWellFormed();
}

function fieldOf(path: string, bytes: Buffer, from: number, to: number): string | undefined {
  const json = parseJson(bytes.toString('utf8', from, to));
  if ('problem' in json) return undefined;
  let { value } = json;
  for (const key of path.split('.')) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** For targets whose every answer brings everything: lets each event of a client through once. */
export function createOnce(): (bytes: Buffer, from: number, to: number) => boolean {
  const latest = new Map<string, number>();
  const at = newLocated();
  return (bytes, from, to) => {
    if (!locate(bytes, from, to, at) || at.seq <= (latest.get(at.topic) ?? 0)) return false;
    latest.set(at.topic, at.seq);
    return true;
  };
}
