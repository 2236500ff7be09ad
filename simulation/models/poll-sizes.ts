// Computes what a poll and its answer are on the wire.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import { answerFields, cursorOf, headBytes, pollBodyBytes, requestBytes } from './wire-sizes.ts';

export type PollSizes = {
  requestBytes: number;
  /** An answer without events. */
  emptyBytes: number;
  /** An answer with events, without the events and the commas between them. */
  fullBytes(eventBytes: number): number;
};

/** @param events published before, whose number is in the cursor */
export function pollSizes(
  { connection, conditional, gzip }: PatternOptions<'polling'>,
  topicListBytes: number,
  events: number,
): PollSizes {
  const cursor = cursorOf(events);
  const topics = 'x'.repeat(Math.round(topicListBytes));
  const asked = requestBytes(
    `/poll?topics=${topics}&since=${cursor}`,
    conditional && `if-none-match: "${cursor}"`,
    gzip && 'accept-encoding: gzip',
    `connection: ${connection}`,
  );
  const fields = [`etag: "${cursor}"`, 'cache-control: no-cache', ...answerFields(connection)];
  const body = pollBodyBytes(cursor);
  const full = (eventBytes: number) =>
    body +
    headBytes(
      'HTTP/1.1 200 OK',
      'content-type: application/json',
      `content-length: ${Math.round(body + eventBytes)}`,
      ...fields,
    );
  return {
    requestBytes: asked,
    emptyBytes: conditional ? headBytes('HTTP/1.1 304 Not Modified', ...fields) : full(0),
    fullBytes: full,
  };
}
