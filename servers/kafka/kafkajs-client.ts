// Makes clients of KafkaJS, says what their errors mean, and waits no longer than a moment for their end.

import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import { messageOf } from '../../core/base/errors.ts';
import { within } from '../../core/base/within.ts';

/** How long is waited before what failed is tried again. */
export const againMs = 200;
const lastWordMs = 500;

/**
 * @param host `host:port` of a broker, which names the others
 * @param withinMs how long an answer may take
 */
export function newKafka(
  host: string,
  withinMs: number,
  given: Pick<KafkaConfig, 'socketFactory'> = {},
): Kafka {
  return new Kafka({
    clientId: 'pushbench',
    brokers: [host],
    logLevel: logLevel.NOTHING,
    connectionTimeout: withinMs / 2,
    requestTimeout: withinMs,
    retry: { retries: 2, initialRetryTime: 50, maxRetryTime: againMs },
    ...given,
  });
}

/** The library wraps what went wrong; its errors are told apart by their names. */
type Said = Error & { type?: string; code?: unknown };

/** The error itself, and what is behind it. */
export function causesOf(error: unknown): Said[] {
  const all: Said[] = [];
  for (let one = error; one instanceof Error && all.length < 10; one = causeOf(one)) all.push(one);
  return all;
}

/** Of topics that could not be made there is an error for each: the first says enough. */
function causeOf(error: Error): unknown {
  const each: unknown = 'errors' in error ? error.errors : undefined;
  return Array.isArray(each) ? (each[0] as unknown) : error.cause;
}

/** What went wrong in the end. */
export function whyOf(error: unknown): string {
  return messageOf(causesOf(error).at(-1) ?? error).slice(0, 200);
}

/** Whether Kafka answered with one of these, as its protocol names them. */
export function hasType(error: unknown, types: readonly string[]): boolean {
  return causesOf(error).some(({ type = '' }) => types.includes(type));
}

/** A broker that does not answer holds nothing up. */
export async function briefly(ending: Promise<unknown>, ms = lastWordMs): Promise<void> {
  await within(ending, ms).catch(() => {});
}
