// Holds how large the body of an event may be, and every bound of ours that follows from it: a body that is
// allowed passes through every server and every load client, in whatever form it travels. docs/wire.md says
// why, with figures. A test goes through them all (test/core/event/body-size.test.ts).

/**
 * No body is larger, whether generated, from a corpus or from a trace.
 *
 * A subscriber keeps the parts of a message until it is whole, in a buffer that doubles. So a load process
 * holds one to two bodies for each subscriber that is reading: 370 MB measured for 50 that read the largest.
 */
export const largestBodyBytes = 8 * 1024 ** 2;

/**
 * Room around a body: for the envelope's fields (at most 301 bytes, core/event/envelope.ts) and the pattern's
 * framing; or for the fields of a subscriber's own message, which carries the body as is.
 */
export const aroundBodyBytes = 1024;

/** A body that is not JSON on one line travels as a JSON string, where one byte becomes six at most. */
const mostEscapedBytes = 6;

/** One message to a subscriber: an SSE line or event, an NDJSON line, a frame, a delivery to a webhook. */
export const largestMessageBytes = mostEscapedBytes * largestBodyBytes + aroundBodyBytes;

/** An answer to a poll ends with the event that reaches this, or `slowBuffer` if that is less. */
export const answerEndsAtBytes = largestBodyBytes;

/** The answer to a poll: less than `answerEndsAtBytes` of events with commas between them, and one event. */
export const largestAnswerBytes = 2 * answerEndsAtBytes + largestMessageBytes;

/** Bytes of a publisher that may wait for the server to take them; more fails the run. */
export const largestQueueBytes = 8 * largestBodyBytes;

/** Bodies that a publisher has ready ahead of their time, but for the last one. */
export const readyBodiesBytes = 2 * largestBodyBytes;

/** All bodies that a server has in part, of all clients together; and all bodies of one corpus. */
export const manyBodiesBytes = 32 * largestBodyBytes;

/** A server holds so much for a subscriber however small `slowBuffer` is: it writes as much at once. */
export const alwaysHeldBytes = 64 * 1024;
