// Speaks to Amazon SQS through the AWS SDK: the few calls that queue.ts needs, and what their errors mean.
// The SDK is loaded when a queue is opened, and only the host of the queue's URL is ever asked: credentials
// come from the environment alone, not from a metadata service.

import type * as Sdk from '@aws-sdk/client-sqs';
import { exitCodes, messageOf, UserError } from '../../../core/base/errors.ts';
import { isLoopbackHost } from '../../../core/http/access.ts';

/** What is sent: a message of one of the queues. */
export type Entry = {
  readonly body: string;
  /** Whole seconds, up to 900; not of a FIFO queue. */
  readonly delayS?: number;
  /** Of a FIFO queue. */
  readonly group?: string;
  readonly deduplication?: string;
};

/** What was handed out: `handle` names it until its visibility timeout has passed. */
export type Received = { readonly body: string; readonly handle: string; readonly group?: string };

/** `unknown`: it may or may not be in the queue. `again`: it is not, and may be when it is sent once more. */
export type EntryOutcome =
  | { readonly state: 'stored' }
  | { readonly state: 'refused' | 'again' | 'unknown'; readonly why: string };

export type SqsApi = {
  /** As SQS names them. @throws UserError */
  attributes(url: string): Promise<Readonly<Record<string, string>>>;
  /** At most ten. @returns for each what became of it. Never throws */
  send(url: string, entries: readonly Entry[]): Promise<EntryOutcome[]>;
  /** Waits for messages for as long as `waitS`. @throws what kept SQS from answering */
  receive(most: number, visibilityS: number, waitS: number, signal: AbortSignal): Promise<Received[]>;
  /** At most ten. @throws when one of them was not taken */
  remove(handles: readonly string[]): Promise<void>;
  /** Hides a message for so long from now; 0 shows it. @throws when that was not done */
  hide(handle: string, seconds: number): Promise<void>;
  close(): void;
};

const packageName = '@aws-sdk/client-sqs';
/** How long an answer may take to its last byte; one to a long poll as much longer as it waits. */
const answerWithinMs = 3000;
const connectWithinMs = 2000;
/** Nothing was sent: there was no connection. */
const unreached = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether the queue of this URL keeps an order. */
export function isFifoUrl(url: string): boolean {
  return new URL(url).pathname.endsWith('.fifo');
}

/** @throws UserError without the package, credentials or a region */
export async function connectSqs(url: string): Promise<SqsApi> {
  const sdk = await loadSdk();
  const { origin, hostname } = new URL(url);
  const client = new sdk.SQSClient({
    endpoint: origin,
    useQueueUrlAsEndpoint: false,
    region: regionOf(hostname, process.env),
    credentials: credentialsIn(process.env, isLoopbackHost(hostname)),
    maxAttempts: 1, // queue.ts repeats what may be repeated
    requestHandler: { connectionTimeout: connectWithinMs },
  });
  return apiOver(sdk, client, url);
}

async function loadSdk(): Promise<typeof Sdk> {
  try {
    return await import('@aws-sdk/client-sqs');
  } catch {
    throw new UserError(
      'sqs-package',
      `store: sqs needs the package ${packageName}, which is not installed: npm install ${packageName}`,
      exitCodes.failed,
    );
  }
}

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param isEmulator whether any will do
 * @throws UserError where there are none
 */
export function credentialsIn(env: Environment, isEmulator: boolean): Credentials {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = env['AWS_SESSION_TOKEN'];
  if (accessKeyId && secretAccessKey)
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  if (isEmulator) return { accessKeyId: 'none', secretAccessKey: 'none' };
  throw new UserError(
    'sqs-credentials',
    `${accessKeyId ? 'AWS_SECRET_ACCESS_KEY is' : 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are'} not ` +
      'set: store: sqs takes its credentials from the environment (AWS_SESSION_TOKEN too, where they are ' +
      'temporary) and asks nobody else for them',
    exitCodes.failed,
  );
}

/** The region that the queue's host names, or the environment; an emulator takes any. */
export function regionOf(hostname: string, env: Environment): string {
  const named = /(?:^|\.)sqs\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(hostname)?.[1];
  return named ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
}

function apiOver(sdk: typeof Sdk, client: Sdk.SQSClient, url: string): SqsApi {
  return {
    async attributes(of) {
      try {
        const command = new sdk.GetQueueAttributesCommand({ QueueUrl: of, AttributeNames: ['All'] });
        return (await inTime((given) => client.send(command, given))).Attributes ?? {};
      } catch (error) {
        throw cannotOpen(of, error);
      }
    },
    async send(to, entries) {
      const Entries = entries.map(({ body, delayS, group, deduplication }, i) => ({
        Id: String(i),
        MessageBody: body,
        ...(delayS !== undefined && { DelaySeconds: delayS }),
        ...(group !== undefined && { MessageGroupId: group }),
        ...(deduplication !== undefined && { MessageDeduplicationId: deduplication }),
      }));
      try {
        const command = new sdk.SendMessageBatchCommand({ QueueUrl: to, Entries });
        return outcomesOf(entries.length, await inTime((given) => client.send(command, given)));
      } catch (error) {
        const outcome = outcomeOf(error);
        return entries.map(() => outcome);
      }
    },
    async receive(most, visibilityS, waitS, signal) {
      const command = new sdk.ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: most,
        VisibilityTimeout: visibilityS,
        WaitTimeSeconds: waitS,
        MessageSystemAttributeNames: ['MessageGroupId'],
      });
      const withinMs = waitS * 1000 + answerWithinMs;
      const { Messages = [] } = await inTime((given) => client.send(command, given), withinMs, signal);
      return Messages.map(({ Body = '', ReceiptHandle = '', Attributes }) => ({
        body: Body,
        handle: ReceiptHandle,
        ...(Attributes?.MessageGroupId !== undefined && { group: Attributes.MessageGroupId }),
      }));
    },
    async remove(handles) {
      const Entries = handles.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
      const command = new sdk.DeleteMessageBatchCommand({ QueueUrl: url, Entries });
      const { Failed = [] } = await inTime((given) => client.send(command, given));
      if (Failed[0])
        throw new Error(`${Failed.length} of ${handles.length} not deleted: ${Failed[0].Message}`);
    },
    async hide(handle, seconds) {
      const command = new sdk.ChangeMessageVisibilityCommand({
        QueueUrl: url,
        ReceiptHandle: handle,
        VisibilityTimeout: seconds,
      });
      await inTime((given) => client.send(command, given));
    },
    close: () => client.destroy(),
  };
}

/**
 * Gives up when the whole answer is not there in time. The SDK's own timeout of requests is not used: it ends
 * with the head of an answer, and only logs a warning unless it is told to throw.
 * @param signal gives up too
 * @throws TimeoutError, or what else kept SQS from answering
 */
async function inTime<T>(
  ask: (given: { abortSignal: AbortSignal }) => Promise<T>,
  withinMs = answerWithinMs,
  signal?: AbortSignal,
): Promise<T> {
  const late = AbortSignal.timeout(withinMs);
  try {
    return await ask({ abortSignal: signal ? AbortSignal.any([signal, late]) : late });
  } catch (error) {
    if (!late.aborted) throw error;
    throw Object.assign(new Error(`no whole answer within ${withinMs} ms`), { name: 'TimeoutError' });
  }
}

function outcomesOf(count: number, { Failed = [] }: Sdk.SendMessageBatchCommandOutput): EntryOutcome[] {
  const outcomes: EntryOutcome[] = Array.from({ length: count }, () => ({ state: 'stored' }));
  for (const { Id, SenderFault, Code = '', Message = '' } of Failed)
    outcomes[Number(Id)] = { state: SenderFault ? 'refused' : 'again', why: `${Code} ${Message}`.trim() };
  return outcomes;
}

/** What a failed call means for all that it was to send. */
export function outcomeOf(error: unknown): Exclude<EntryOutcome, { state: 'stored' }> {
  const { code, $fault, $retryable } = error as { code?: string; $fault?: string; $retryable?: object };
  const why = textOf(error);
  if (code !== undefined && unreached.has(code)) return { state: 'again', why };
  if ($fault === 'client') return { state: $retryable || isThrottling(error) ? 'again' : 'refused', why };
  return { state: 'unknown', why };
}

function isThrottling(error: unknown): boolean {
  return error instanceof Error && /Throttl|TooManyRequests|OverLimit/.test(error.name);
}

/** What an error of the SDK says; some have a name or a code and no message. */
export function textOf(error: unknown): string {
  const { name = '', code = '' } = error as { name?: string; code?: string };
  const message = messageOf(error);
  return [code || (name === 'Error' ? '' : name), message]
    .filter((part) => part !== '')
    .join(': ')
    .slice(0, 200);
}

function cannotOpen(url: string, error: unknown): UserError {
  return new UserError(
    'sqs',
    `the SQS queue ${url} cannot be used (${textOf(error)}); name one that exists and answers with the ` +
      'option sqs, and credentials that may use it in the environment',
    exitCodes.failed,
  );
}
