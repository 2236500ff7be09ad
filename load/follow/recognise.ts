// Recognises from a server's answer by which pattern it serves, and whether it is one of our reference
// servers. An answer in, a finding out; asking is ask-once.ts.

import { parseJson } from '../../core/base/json.ts';
import { isPatternName, patterns, type PatternName } from '../../core/pattern/registry.ts';
import type { FirstAnswer } from './ask-once.ts';

/** A pattern whose subscriber opens the connection. */
export type FollowPattern = Exclude<PatternName, 'webhook'>;

export type Found =
  /** One of our servers, which stands at `base`; the address may be that of its list of endpoints. */
  | { kind: 'ours'; pattern: PatternName; base: URL; topics: string[] }
  | { kind: 'foreign'; pattern: FollowPattern }
  | { kind: 'refused'; status: number; message: string; location?: string }
  /** It answers, and nothing says by which pattern. */
  | { kind: 'unknown'; type: string };

/** What a request says that it would like, so that servers with several forms give one of these. */
export const acceptAny = 'text/event-stream, application/x-ndjson;q=0.9, application/json;q=0.8, */*;q=0.1';

const lineTypes = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/stream+json',
  'text/plain',
]);

/** What ours say at first (docs/wire.md). */
const openings: Readonly<Record<FollowPattern, RegExp>> = {
  sse: /^retry: \d+\nid: [a-z0-9]+-\d+\n: open\n/,
  'http-stream': /^\{"stream":"open","cursor":"/,
  websocket: /^\{"error":"upgrade-required","message":"/,
  polling: /^\{"cursor":"[a-z0-9]+-\d+"(?:,"reset":true)?,"events":\[/,
  'long-polling': /^\{"cursor":"[a-z0-9]+-\d+"(?:,"reset":true)?,"events":\[/,
};

export function recognise(url: URL, { head: { status, headers }, text }: FirstAnswer): Found {
  const type = (headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  if (status === 426) return found(url, 'websocket', text);
  if (status !== 200) {
    const location = status >= 300 && status < 400 ? headers.get('location') : undefined;
    return { kind: 'refused', status, message: messageIn(text), ...(location !== undefined && { location }) };
  }
  if (type === 'text/event-stream') return found(url, 'sse', text);
  if (type === 'application/json') {
    const index = indexIn(text);
    if (index) return { kind: 'ours', pattern: index, base: url, topics: topicsIn(url) };
    // Ours tell the two apart by the tag that only an answer which may be given again has.
    return found(url, openings.polling.test(text) && !headers.has('etag') ? 'long-polling' : 'polling', text);
  }
  return lineTypes.has(type) ? found(url, 'http-stream', text) : { kind: 'unknown', type };
}

function found(url: URL, pattern: FollowPattern, text: string): Found {
  const { path } = patterns[pattern];
  if (!openings[pattern].test(text) || !url.pathname.endsWith(path)) return { kind: 'foreign', pattern };
  const base = new URL(url);
  base.pathname = url.pathname.slice(0, -path.length);
  base.search = '';
  return { kind: 'ours', pattern, base, topics: topicsIn(url) };
}

function topicsIn(url: URL): string[] {
  return (url.searchParams.get('topics') ?? '').split(',').filter((name) => name !== '');
}

/** The pattern in the list of endpoints that ours answer `GET /` with. */
function indexIn(text: string): PatternName | undefined {
  const fields = fieldsIn(text);
  const { pattern } = fields;
  return Array.isArray(fields['endpoints']) && typeof pattern === 'string' && isPatternName(pattern)
    ? pattern
    : undefined;
}

/** What an error says: ours in `message`, others anywhere. */
function messageIn(text: string): string {
  const { message } = fieldsIn(text);
  return typeof message === 'string' ? message : text.trim();
}

function fieldsIn(text: string): Record<string, unknown> {
  const json = parseJson(text);
  const value = 'problem' in json ? undefined : json.value;
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
