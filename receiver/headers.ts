// Brings headers as frameworks have them into one form: names in lower case, as Node's.

import type { Headers } from '../core/signature/schemes.ts';
import { isEncoded } from '../core/http/message.ts';

/** Those of the web, or an object with names in any case. */
export type GivenHeaders = globalThis.Headers | Headers;

/** A name that comes twice, in other cases, has a list of values, and is so refused where it must be one. */
export function headersOf(given: GivenHeaders): Headers {
  const known = new Map<string, string | string[] | undefined>();
  const pairs = isOfWeb(given) ? given.entries() : Object.entries(given ?? {});
  for (const [name, value] of pairs) {
    if (value === undefined) continue;
    const key = name.toLowerCase();
    const values = [known.get(key) ?? [], value].flat();
    known.set(key, values.length === 1 ? values[0] : values);
  }
  return Object.fromEntries(known);
}

function isOfWeb(given: GivenHeaders): given is globalThis.Headers {
  return typeof given?.entries === 'function' && typeof given.get === 'function';
}

export function isCoded(headers: Headers): boolean {
  const coding = headers['content-encoding'];
  return isEncoded({ 'content-encoding': typeof coding === 'object' ? coding.join(',') : coding });
}
