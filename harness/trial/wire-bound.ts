// Computes the most, and the least, that a trial's own connections can have put on the wire in the measured
// phase, from what their ends counted. What the host counted beyond that is somebody else's.

import { counterNames, newCounters, requestsOf, type Counters } from '../../core/result/counters.ts';

export type Wire = { segments: number; bytes: number };
export type WireBounds = {
  /** No connection of the trial explains more. */
  most: Wire;
  /** Bytes that the connections carried without any header: the wire cannot have had fewer. */
  leastBytes: number;
};

/** Writes that a request and its answer can take: head and body; head, body and the end of a chunked one. */
const writesPerRequest = 5;
/** Headers of IPv4 and of TCP with timestamps are 52 bytes, those of the first segment 60. */
const headerBytes = 60;
/** A segment that is full carries at least this much; over loopback it carries 64 KiB. */
const fullSegmentBytes = 1400;
/** To open a connection, or to close one: three or four segments. */
const segmentsPerConnection = 4;
/** What TLS adds to a write, and to a connection for its certificates and keys. */
const tlsRecordBytes = 60;
const tlsHandshakeBytes = 8192;
/** Two flights each, tickets, a close_notify from both sides; each with its acknowledgement. */
const tlsHandshakeSegments = 14;

/**
 * @param client what subscribers counted, @param server the same of the servers; nothing where a target tells
 *   nothing, @param publisher what publishing counted
 * @param published events that the publisher sent
 * @param encrypted whether the connections use TLS
 */
export function wireBounds(
  client: Counters,
  server: Counters,
  publisher: Counters,
  { published, encrypted }: { published: number; encrypted: boolean },
): WireBounds {
  // Of what one side had sent and the other had not read yet, only the one side has counted.
  const mirrored = { ...server, bytesIn: server.bytesOut, bytesOut: server.bytesIn };
  const c = newCounters();
  for (const name of counterNames) c[name] = Math.max(client[name], mirrored[name]);

  // Events of polls and webhooks travel in a request or its answer; those of streams take their own writes.
  const eventsAlone = c.fullPolls + c.deliveryRequests + c.retries > 0 ? 0 : c.events;
  const bytes = c.bytesIn + c.bytesOut + publisher.bytesIn + publisher.bytesOut;
  const writes =
    writesPerRequest * (requestsOf(c) + c.pageRequests + published) +
    2 * (eventsAlone + c.heartbeats + c.errors) +
    4 * c.upstreamMessages;
  const opened = c.connectionsOpened + publisher.connectionsOpened;
  const ended = c.connectionsClosed + publisher.connectionsClosed;
  // Each segment with data may be acknowledged by one of its own.
  const segments =
    2 * (writes + Math.ceil(bytes / fullSegmentBytes)) +
    segmentsPerConnection * (opened + ended) +
    (encrypted ? tlsHandshakeSegments * opened : 0);
  const tlsBytes = encrypted ? tlsRecordBytes * writes + tlsHandshakeBytes * opened : 0;
  return {
    most: { segments, bytes: bytes + segments * headerBytes + tlsBytes },
    leastBytes: client.bytesIn + client.bytesOut + publisher.bytesIn + publisher.bytesOut,
  };
}
