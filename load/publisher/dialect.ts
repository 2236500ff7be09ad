// Defines how a system is published to, apart from when: what a request looks like, and what an answer says.
// A target's dialect is load/target/publish-request.ts, our servers' is below.

import type { Secret } from '../../core/secrets/redact.ts';
import { seqIn } from './publishing.ts';
import { publishWriter } from './publish-connection.ts';

/** One event to publish; `number` counts the events of the run from 1. */
export type EventToPublish = {
  number: number;
  topic: string;
  /** The number that the publisher gives it in its topic. */
  seq: number;
  plannedUs: number;
  sentUs: number;
  crc: number;
  body: string;
  /** Of the body in UTF-8. */
  bytes: number;
};

export type Dialect = {
  /** What messages call the system: `the server`, `the target`. */
  readonly system: string;
  /** Where requests go; its path may be another topic's. */
  readonly url: URL;
  /** An authority to trust besides the usual ones. */
  readonly ca: string | undefined;
  /** Values that no message may hold. */
  readonly secrets: readonly Secret[];
  /** The system numbers nothing: the publisher's own numbers count, and one is used up though it failed. */
  readonly ownNumbers: boolean;
  encode(event: EventToPublish): Buffer;
  /**
   * The number that an answer with success says the event got, `seq` where the publisher's counts; 0 where it
   * gives it none.
   */
  numberIn(body: string, seq: number): number;
  isSuccess(status: number): boolean;
};

/** Our servers: `POST /topics/{topic}` of docs/wire.md, answered 201 with the event's number. */
export function ownDialect(publishUrl: string): Dialect {
  const write = publishWriter(publishUrl);
  return {
    system: 'the server',
    url: new URL(publishUrl),
    ca: undefined,
    secrets: [],
    ownNumbers: false,
    encode: ({ topic, body: text, bytes, crc, plannedUs, sentUs }) =>
      Buffer.from(write({ topic, body: { text, bytes, crc }, plannedUs, sentUs })),
    numberIn: (body) => seqIn(body),
    isSuccess: (status) => status === 201,
  };
}
