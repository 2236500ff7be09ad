// Describes the event on the wire as a schema, for receivers in any language. Events are written by
// envelope.ts; none is read with this schema here, since that would cost more than the rest of a delivery.

import { z } from 'zod';
import { cursorPattern, topicPattern } from './envelope.ts';

const stampUs = z.int().min(0);

const head = {
  id: z
    .string()
    .regex(cursorPattern)
    .describe('the same on every delivery and attempt; also a cursor to resume from'),
  topic: z.string().regex(topicPattern),
  seq: z.int().min(1).describe('counts from 1 within the topic, without gaps'),
  planned: stampUs.describe("the planned time, in microseconds of the server's monotonic clock"),
  sent: stampUs.describe('when the publisher sent it'),
  accepted: stampUs.describe('when the server accepted it'),
  crc: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional()
    .describe("CRC-32 of the body's bytes as published"),
};

/** An event as every pattern carries it. */
export const eventSchema = z
  .union([
    z.strictObject({
      ...head,
      body: z.unknown().describe('the published body, if it is JSON on one line'),
    }),
    z.strictObject({ ...head, text: z.string().describe('the published body, if it is any other text') }),
  ])
  .describe('An event of pushbench: one line of JSON, the same in every pattern');
