// Opens the SQS queue that the options name, and refuses one that would lose deliveries or their order.

import { exitCodes, UserError } from '../../../core/base/errors.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import type { WorkQueue } from '../queue/work-queue.ts';
import { connectSqs, isFifoUrl, type SqsApi } from './api.ts';
import { createSqsQueue } from './queue.ts';

/** What an attempt takes besides the receiver's answer: before it is sent, and to enter what became of it. */
const besidesAttemptS = 5;
/** What SQS takes where a queue does not say. */
const usualBytesMost = 262_144;

/** @throws UserError when the queue cannot be used */
export async function openSqsQueue(
  options: PatternOptions<'webhook'>,
  report: (error: unknown) => void,
): Promise<WorkQueue> {
  const { sqs: url, sqsDeadLetters: deadUrl, timeout, concurrency } = options;
  if (url === '')
    throw refusal('store: sqs needs the URL of a queue: set the option sqs (aws sqs create-queue says it)');
  const api = await connectSqs(url);
  try {
    const attributes = await api.attributes(url);
    const bytesMost = checkAttributes(url, attributes);
    if (deadUrl !== '') await checkDeadLetters(api, url, deadUrl);
    return createSqsQueue(api, {
      url,
      deadUrl,
      visibilityS: Math.ceil(timeout / 1000) + besidesAttemptS,
      messageBytesMost: bytesMost,
      emulator: emulatorOf(attributes),
      concurrency,
      report,
    });
  } catch (error) {
    api.close();
    throw error;
  }
}

/** @returns the bytes of a message at most */
function checkAttributes(url: string, attributes: Readonly<Record<string, string>>): number {
  if (attributes['RedrivePolicy'])
    throw refusal(
      `the SQS queue ${url} has a redrive policy: it would take deliveries away that only wait for their ` +
        'turn. Remove it from the queue; pushbench counts attempts itself, and puts a copy of what is ' +
        'exhausted into the queue of the option sqsDeadLetters',
    );
  if (isFifoUrl(url) !== (attributes['FifoQueue'] === 'true'))
    throw refusal(`the SQS queue ${url} is not of the kind that its name says (.fifo for a FIFO queue)`);
  return Number(attributes['MaximumMessageSize'] ?? usualBytesMost);
}

/** Emulators give their queues to an account that AWS gives to nobody. */
function emulatorOf({ QueueArn = '' }: Readonly<Record<string, string>>): string | undefined {
  return /^arn:[^:]*:sqs:[^:]*:000000000000:/.test(QueueArn) ? 'an emulator of SQS' : undefined;
}

async function checkDeadLetters(api: SqsApi, url: string, deadUrl: string): Promise<void> {
  if (new URL(url).origin !== new URL(deadUrl).origin)
    throw refusal(`sqsDeadLetters (${deadUrl}) is not on the host of sqs (${url}); name a queue beside it`);
  if (url === deadUrl) throw refusal('sqs and sqsDeadLetters name the same queue; name two');
  await api.attributes(deadUrl);
}

function refusal(what: string): UserError {
  return new UserError('sqs', what, exitCodes.failed);
}
