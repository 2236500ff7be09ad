// Reads the body of a verified delivery as an event of its scheme. It checks fields that every event has, and
// not those of a single type of event, so give `Delivery` the type of the sender's own library for that.

import { parseJson } from '../core/base/json.ts';
import type { Headers, SchemeName } from '../core/signature/schemes.ts';

/** As Standard Webhooks recommends bodies to be. */
export type StandardEvent = { type: string; timestamp?: string; data: unknown };

/** A snapshot event; Stripe's thin events are not of this form. */
export type StripeEvent = {
  id: string;
  object: 'event';
  type: string;
  /** Seconds since 1970. */
  created: number;
  livemode: boolean;
  api_version: string | null;
  data: { object: Record<string, unknown>; previous_attributes?: Record<string, unknown> };
  account?: string;
};

/** As `@octokit/webhooks` has them. GitHub does not sign the id and the name, which come in headers. */
export type GithubEvent = {
  id: string;
  /** `push`, `issues`, ... */
  name: string;
  payload: Record<string, unknown> & { action?: string };
};

/** JSON of the Events API, the `payload` of an interaction, or the fields of a slash command. */
export type SlackEvent = Record<string, unknown>;

export type EventOf<Scheme extends SchemeName> = {
  standard: StandardEvent;
  'standard-ed25519': StandardEvent;
  stripe: StripeEvent;
  github: GithubEvent;
  slack: SlackEvent;
}[Scheme];

type Fields = Record<string, unknown>;

const readers: { [Scheme in SchemeName]: (headers: Headers, body: Buffer) => EventOf<Scheme> } = {
  standard: standardEvent,
  'standard-ed25519': standardEvent,
  stripe(headers, body) {
    const event = fieldsOf(headers, body);
    if (event['object'] === 'v2.core.event')
      throw new TypeError('this is a thin event of Stripe; read it with JSON.parse(body)');
    requireText(event, 'id', 'type');
    if (event['object'] !== 'event' || !isFields(event['data']) || !isFields(event['data']['object']))
      throw new TypeError('the body is not an event of Stripe: it has no data.object');
    return event as StripeEvent; // the fields were checked; for the rest, Stripe signed it
  },
  github(headers, body) {
    const payload = fieldsOf(headers, body);
    const { 'x-github-delivery': id, 'x-github-event': name } = headers;
    if (typeof id !== 'string' || typeof name !== 'string')
      throw new TypeError('the request has no x-github-delivery or no x-github-event');
    return { id, name, payload };
  },
  slack: fieldsOf,
};

/** @throws TypeError when the body is not an event of the scheme */
export function eventOf<Scheme extends SchemeName>(
  scheme: Scheme,
  headers: Headers,
  body: Buffer,
): EventOf<Scheme> {
  return readers[scheme](headers, body);
}

function standardEvent(headers: Headers, body: Buffer): StandardEvent {
  const event = fieldsOf(headers, body);
  requireText(event, 'type');
  return { data: undefined, ...event } as StandardEvent; // its type was looked at
}

/** The body as an object: JSON, or a form, where JSON is in its `payload` (GitHub, Slack's interactions). */
function fieldsOf(headers: Headers, body: Buffer): Fields {
  let text = body.toString();
  if (/^application\/x-www-form-urlencoded\b/i.test(String(headers['content-type']))) {
    const form = new URLSearchParams(text);
    const payload = form.get('payload');
    if (payload === null) return Object.fromEntries(form);
    text = payload;
  }
  const read = parseJson(text);
  if ('problem' in read) throw new TypeError(`the body is not whole JSON${read.problem}`);
  if (!isFields(read.value)) throw new TypeError('the body is JSON, but not an object');
  return read.value;
}

function requireText(event: Fields, ...names: string[]): void {
  for (const name of names)
    if (typeof event[name] !== 'string' || event[name] === '')
      throw new TypeError(`the body is not an event: it has no text in "${name}"`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
