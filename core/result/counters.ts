// Defines what both sides of a pattern count, under the same names, so that they can be checked against
// each other. Counters only grow; the difference of two readings is what happened between them.

/** What each counts, in the order of the result. */
export const counterMeanings = {
  handshakes:
    'streams, sockets and sessions asked for (an upgrade, an event stream, an NDJSON stream), reconnects ' +
    'included',
  reconnects:
    "handshakes and registrations after a subscriber's first one, and first polls after being cut off; " +
    'load side only',
  fullPolls: 'polls and long polls answered with at least one event',
  emptyPolls: 'polls and long polls answered with none: 304, 204 or an empty list',
  rearms: "long polls sent after a subscriber's first one, a part of full and empty polls; load side only",
  registrations: 'webhook endpoints registered',
  deliveryRequests: 'webhook requests, first attempts',
  retries: 'webhook requests after the first for the same event and endpoint; server side only',
  upstreamMessages: 'messages from client to server on a socket',
  messageRequests:
    'requests that each carry one message from client to server, if the connection for events cannot',
  pageRequests: 'other requests of browsers whose pages the subscribers are; they carry no events',
  heartbeats: 'keep-alives: SSE comments, heartbeat lines, WebSocket pings',
  connectionsOpened: 'TCP connections opened',
  connectionsClosed: 'TCP connections closed',
  tlsHandshakes: 'TLS handshakes that were completed',
  tlsResumed: 'those of them that resumed an earlier session',
  compressed:
    'streams and answers with events that came compressed with gzip, and sockets that agreed on ' +
    'permessage-deflate; load side only',
  authChecks: 'tokens that the server was asked to check; server side only',
  authRefused: 'tokens that it did not accept (401); server side only',
  bytesIn: 'bytes read from those connections, as the application gets them from TCP (or TLS)',
  bytesOut: 'bytes written to them, as the application hands them to TCP (or TLS)',
  events: 'deliveries: one event written to, or read by, one subscriber; duplicates count',
  deduplicated:
    'deliveries that a webhook receiver recognised as repetitions, a part of events; load side only',
  answersLost:
    'webhook requests that the receiver acted upon and whose answer the sender never got; load side only',
  slowDrops: 'events that the slow-subscriber policy dropped or replaced by a later one',
  slowDisconnects: 'subscribers that it cut off',
  resets: 'resumes that came too late: the history no longer held what the cursor asked for',
  brokerGaps: 'events of a cluster that this server never received from its broker; server side only',
  refusals:
    'requests refused for a limit (subscribers, size of a body), or for where they come from (Host, Origin)',
  errors: 'anything that should not happen: a malformed frame, an unexpected status, a reset connection',
} as const;

export type CounterName = keyof typeof counterMeanings;
export const counterNames = Object.keys(counterMeanings) as CounterName[]; // it has no other keys

export type Counters = Record<CounterName, number>;

/** All counters at 0. */
export function newCounters(): Counters {
  return Object.fromEntries(counterNames.map((name) => [name, 0])) as Counters;
}

/** `a + b`, counter by counter. */
export function addCounters(a: Counters, b: Counters): Counters {
  return mapCounters((name) => a[name] + b[name]);
}

/** `later - earlier`, counter by counter: what happened between two readings. */
export function subtractCounters(later: Counters, earlier: Counters): Counters {
  return mapCounters((name) => later[name] - earlier[name]);
}

/**
 * Where counters stood between two readings, if they grew evenly.
 * @param share of the time from the first to the second
 */
export function countersWithin(earlier: Counters, later: Counters, share: number): Counters {
  return mapCounters((name) => Math.round(earlier[name] + (later[name] - earlier[name]) * share));
}

/**
 * Every request of a pattern's subscribers and for them, so that patterns compare (the
 * publisher's are not among them).
 */
export function requestsOf(counters: Counters): number {
  const { handshakes, fullPolls, emptyPolls, registrations, deliveryRequests, retries, messageRequests } =
    counters;
  return handshakes + fullPolls + emptyPolls + registrations + deliveryRequests + retries + messageRequests;
}

function mapCounters(value: (name: CounterName) => number): Counters {
  return Object.fromEntries(counterNames.map((name) => [name, value(name)])) as Counters;
}
