// Reads Slack's question whether an address belongs to the app: `url_verification`, signed as every request
// is.

import { parseJson } from '../core/base/json.ts';

const longestChallenge = 1024;

/** @returns what to answer with, undefined for every other request */
export function challengeOf(body: Buffer): string | undefined {
  if (!body.includes('url_verification')) return undefined; // most are not, and need not be parsed
  const read = parseJson(body.toString());
  if ('problem' in read || typeof read.value !== 'object' || read.value === null) return undefined;
  const { type, challenge } = read.value as { type?: unknown; challenge?: unknown }; // looked at next
  const isOne =
    type === 'url_verification' && typeof challenge === 'string' && challenge.length <= longestChallenge;
  return isOne ? challenge : undefined;
}
