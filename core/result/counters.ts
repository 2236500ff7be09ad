// Defines what both sides of a pattern count, under the same names, so that they can be checked against
// each other. Counters only grow; the difference of two readings is what happened between them.

export const counterNames = [
  /**
   * Streams, sockets and sessions asked for (an upgrade, an event stream, an NDJSON
   * stream), reconnects included.
   */
  'handshakes',
  /**
   * Handshakes and registrations after a subscriber's first one, and polls that brought back one
   * cut off. Load side only.
   */
  'reconnects',
  /** Polls and long polls answered with at least one event. */
  'fullPolls',
  /** Polls and long polls answered with none: 304, 204 or an empty list. */
  'emptyPolls',
  /** Long polls sent after a subscriber's first one; a part of full and empty polls. Load side only. */
  'rearms',
  /** Webhook endpoints registered. */
  'registrations',
  /** Webhook requests, first attempts. */
  'deliveryRequests',
  /** Webhook requests after the first for the same event and endpoint. Server side only. */
  'retries',
  /** Messages from client to server on a socket. */
  'upstreamMessages',
  /**
   * Requests that each carry one message from client to server, where the connection
   * that events come on cannot.
   */
  'messageRequests',
  /** Other requests of the browsers that the subscribers are pages of; no part of how events travel. */
  'pageRequests',
  /** Keep-alives: SSE comments, heartbeat lines, WebSocket pings. */
  'heartbeats',
  /** TCP connections opened and closed. */
  'connectionsOpened',
  'connectionsClosed',
  /** TLS handshakes that were completed, and those of them that resumed an earlier session. */
  'tlsHandshakes',
  'tlsResumed',
  /** Tokens that the server checked, and tokens that it refused (401). Server side only. */
  'authChecks',
  'authRefused',
  /** Bytes on those connections, as the application hands them to TCP (or TLS) or gets them. */
  'bytesIn',
  'bytesOut',
  /** Deliveries: one event written to, or read by, one subscriber; duplicates count. */
  'events',
  /** Deliveries that a webhook receiver's dedupe store knew already; a part of events. Load side only. */
  'deduplicated',
  /** Webhook requests that the receiver acted upon and whose answer the sender never got. Load side only. */
  'answersLost',
  /** Events the slow-subscriber policy dropped or replaced by a later one, and subscribers it cut off. */
  'slowDrops',
  'slowDisconnects',
  /** Resumes that came too late: the history no longer held what the cursor asked for. */
  'resets',
  /** Events of a cluster that this server never received from its broker. Server side only. */
  'brokerGaps',
  /**
   * Requests refused for a limit (subscribers, size of a body), or for where they come from (Host, Origin).
   */
  'refusals',
  /** Anything that should not happen: a malformed frame, an unexpected status, a reset connection. */
  'errors',
] as const;

export type CounterName = (typeof counterNames)[number];
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
