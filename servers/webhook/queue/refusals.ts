// Says what a publisher or a client is told where a queue did not take what it was to take.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import { RequestError } from '../../http/request.ts';
import { workBytes } from './records.ts';
import type { Sent, Work, WorkQueue } from './work-queue.ts';

type Failed = Exclude<Sent, { state: 'stored' }>;

export function refused(what: string, code = 'store-failed'): RequestError {
  return new RequestError(503, code, what);
}

/** What the publisher of an event is told. */
export function eventNotSent({ name }: WorkQueue, sent: Failed): RequestError {
  if (sent.state === 'refused') return nothingStored(name, sent);
  const what = 'the event may or may not have been stored; repeat it with the same Idempotency-Key';
  return refused(`the ${name} did not answer (${sent.why}): ${what}`, 'unknown');
}

/**
 * What a client is told that asked for deliveries: for a test event, a replay, a recovery.
 * @returns undefined when all are in the queue
 */
export function deliveriesNotSent({ name }: WorkQueue, all: readonly Sent[]): RequestError | undefined {
  const failed = all.find((one): one is Failed => one.state !== 'stored');
  if (!failed) return undefined;
  if (all.every(({ state }) => state === 'refused')) return nothingStored(name, failed);
  const what = 'GET /webhooks/deliveries shows what is being sent; ask again for the rest';
  return refused(`the ${name} did not say that it has all of it (${failed.why}): ${what}`, 'unknown');
}

function nothingStored(name: string, { why }: Failed): RequestError {
  return refused(`the ${name} refused it, nothing was stored: ${why}`);
}

/** More than the envelope adds to an event's body, and the work to that. */
const envelopeBytes = 1000;

/** @throws RequestError 413 when the queue takes no such message */
export function checkSize(
  { name, workBytesMost }: WorkQueue,
  { topic, body }: Pick<Message, 'topic' | 'body'>,
  receivers: Work['receivers'],
): void {
  const message: Message = { id: '', topic, body, bodyBytes: 0 };
  const work: Work = { kind: 'event', message, firstId: 0, receivers, createdMs: 0, round: 0 };
  const bytes = workBytes(work) + envelopeBytes;
  if (bytes <= workBytesMost) return;
  const what = `an event and its list of ${receivers.length} receivers are about ${bytes} bytes as a message`;
  throw new RequestError(
    413,
    'too-large',
    `${what}, and the ${name} takes ${workBytesMost}; nothing was stored`,
  );
}
