// Names the groups of patterns that metrics are about, by what their entries in the registry say.

import type { Pattern } from '../pattern/pattern.ts';

/** The server calls its subscribers. */
export function calls({ lacks }: Pattern): boolean {
  return lacks['behind-nat'] !== undefined;
}

/** Subscribers open their own connections. */
export function connects(pattern: Pattern): boolean {
  return !calls(pattern);
}

/** Subscribers ask again and again, or may come to do so. */
export function asks({ fromHistory, fallsBackTo }: Pattern): boolean {
  return fromHistory === true || fallsBackTo !== undefined;
}

/** Subscribers hold a stream or a socket open. */
export function streams(pattern: Pattern): boolean {
  return connects(pattern) && pattern.fromHistory !== true;
}
