// Uses an SQS queue for webhook deliveries. A message is a server's while its visibility timeout runs, and
// comes again when it is not deleted by then. In a standard queue a delivery that has to wait is a new
// message with a delay, of 15 minutes at most, so longer waits take several. A FIFO queue has no such
// delay: the message is hidden instead. That holds back the messages behind it in its group, as the order
// demands.
//
// In a FIFO queue all events are one group, so that they are split in their order, and each endpoint has a
// group of its own.

import { randomUUID } from 'node:crypto';
import { isFifoUrl, textOf, type Entry, type Received, type SqsApi } from './api.ts';
import { createRemovals, type Removals } from './removals.ts';
import { entriesMost, sendEntries } from './send.ts';
import { decodeWork, encodeWork, type End, type Work, type WorkQueue } from '../queue/work-queue.ts';

export type SqsQueueOptions = {
  url: string;
  /** Where exhausted deliveries go; '' for nowhere. */
  deadUrl: string;
  /** How long a message is one server's, in seconds. */
  visibilityS: number;
  /** What a message may be in bytes. */
  messageBytesMost: number;
  /** What stands in for SQS. */
  emulator: string | undefined;
  /** Works that are handed out at once at most. */
  concurrency: number;
  report: (error: unknown) => void;
};

type Polling = SqsQueueOptions & {
  readonly api: SqsApi;
  readonly isFifo: boolean;
  readonly name: string;
  readonly removals: Removals;
  readonly handle: (work: Work) => Promise<End>;
  readonly stopped: AbortController;
  /** Handed out or asked for. */
  underWay: number;
  /** Called when there is room again. */
  readonly waiting: Set<() => void>;
};

/** SQS holds a request for messages so long at most. */
const longPollS = 20;
const delayMostS = 900;
/** Messages may be hidden for 12 hours from when they were received; a minute of them is left. */
const hiddenMostS = 12 * 3600 - 60;
/** Each asks for ten. */
const pollersMost = 4;
const removalsGatherMs = 10;
const againMs = 500;
/** SQS takes only characters of XML. JSON leaves these two as they are, and XML does not have them. */
const notInXml = /[\ufffe\uffff]/g;

export function createSqsQueue(api: SqsApi, options: SqsQueueOptions): WorkQueue {
  const { url, deadUrl, visibilityS, messageBytesMost, emulator, concurrency, report } = options;
  const isFifo = isFifoUrl(url);
  const path = new URL(url).pathname.slice(1);
  const name = `SQS queue ${path.slice(path.lastIndexOf('/') + 1)}`;
  const complain = (error: unknown) => report(new Error(`the ${name}: ${textOf(error)}`));
  // What stands behind a message in a FIFO group waits until it is deleted.
  const removals = createRemovals(api, isFifo ? 0 : removalsGatherMs, complain);
  const stopped = new AbortController();
  let polling = Promise.resolve();
  return {
    name,
    path: `sqs:${path}`,
    emulator,
    ordered: isFifo,
    leaseMs: visibilityS * 1000,
    workBytesMost: messageBytesMost,
    send: (works) =>
      sendEntries(
        api,
        url,
        works.map((work) => entryOf(work, isFifo)),
      ),
    async bury(work) {
      if (deadUrl === '') return;
      // A work that comes back from there is sent again: its higher round marks it as replayed.
      const [sent] = await sendEntries(api, deadUrl, [
        entryOf({ ...work, round: work.round + 1 }, isFifoUrl(deadUrl)),
      ]);
      if (sent!.state !== 'stored') complain(new Error(`no copy of a dead letter was kept: ${sent!.why}`));
    },
    start(handle) {
      const p: Polling = {
        ...options,
        report: complain,
        api,
        isFifo,
        name,
        removals,
        handle,
        stopped,
        underWay: 0,
        waiting: new Set(),
      };
      const pollers = Math.min(pollersMost, Math.ceil(concurrency / entriesMost));
      polling = Promise.all(Array.from({ length: pollers }, () => poll(p))).then(() => {});
    },
    async stop() {
      stopped.abort();
      await polling;
      await removals.done();
    },
    close: () => api.close(),
  };
}

function entryOf(work: Work, isFifo: boolean): Entry {
  const body = encodeWork(work).replace(notInXml, (one) => `\\u${one.charCodeAt(0).toString(16)}`);
  if (!isFifo) return { body };
  const { kind, firstId, round, receivers } = work;
  const group = kind === 'event' ? 'events' : receivers[0]!.id; // a delivery has one
  return { body, group, deduplication: `${kind}-${firstId}-${round}` };
}

async function poll(p: Polling): Promise<void> {
  const { stopped, concurrency, api, visibilityS } = p;
  const handling = new Set<Promise<void>>();
  while (!stopped.signal.aborted) {
    const most = Math.min(entriesMost, concurrency - p.underWay);
    if (most <= 0) {
      await room(p);
      continue;
    }
    p.underWay += most;
    let received: Received[] = [];
    try {
      received = await api.receive(most, visibilityS, longPollS, stopped.signal);
    } catch (error) {
      if (!stopped.signal.aborted) {
        p.report(error);
        await sleep(againMs);
      }
    }
    free(p, most - received.length);
    for (const group of groupsOf(p, received)) {
      const one = handleInTurn(p, group).then(() => void handling.delete(one));
      handling.add(one);
    }
  }
  await Promise.all(handling);
}

/** Resolves when less is under way, or nothing is to be asked for any more. */
function room(p: Polling): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      p.waiting.delete(go);
      p.stopped.signal.removeEventListener('abort', go);
      resolve();
    };
    p.waiting.add(go);
    p.stopped.signal.addEventListener('abort', go);
    if (p.stopped.signal.aborted) go();
  });
}

function free(p: Polling, count: number): void {
  p.underWay -= count;
  if (count > 0) for (const go of p.waiting) go();
}

/** Messages that have to be handled one after the other. */
function groupsOf({ isFifo }: Polling, received: readonly Received[]): Received[][] {
  if (!isFifo) return received.map((one) => [one]);
  return [...Map.groupBy(received, ({ group }) => group).values()];
}

/** In order: if a message has to wait, the messages behind it in its group are released and wait too. */
async function handleInTurn(p: Polling, group: readonly Received[]): Promise<void> {
  let held = false;
  for (const [i, one] of group.entries()) {
    // The time of those behind the first runs while they wait for it.
    if (!held && i > 0) held = !(await tried(p, () => p.api.hide(one.handle, p.visibilityS)));
    if (held) await tried(p, () => p.api.hide(one.handle, 0));
    else held = (await handleOne(p, one)) !== 'done';
    free(p, 1);
  }
}

async function handleOne(p: Polling, { body, handle }: Received): Promise<End['kind']> {
  const work = decodeWork(body);
  if (!work) return notOurs(p, body, handle);
  const end = await p.handle(work);
  if (end.kind === 'done') p.removals.add(handle);
  if (end.kind === 'soon') await tried(p, () => p.api.hide(handle, 1));
  if (end.kind === 'later') await wait(p, work, handle, Math.ceil(end.ms / 1000));
  return end.kind;
}

async function wait(p: Polling, work: Work, handle: string, seconds: number): Promise<void> {
  if (p.isFifo) return void (await tried(p, () => p.api.hide(handle, Math.min(seconds, hiddenMostS))));
  const delayS = Math.min(seconds, delayMostS);
  const [sent] = await sendEntries(p.api, p.url, [{ ...entryOf(work, false), delayS }]);
  // Until the new one is there the old one stays, and comes again by itself.
  if (sent!.state === 'stored') p.removals.add(handle);
  else p.report(new Error(sent!.why));
}

/** Keeps a message of another program away from the work: with the dead letters, where these have a place. */
async function notOurs(p: Polling, body: string, handle: string): Promise<'done'> {
  p.report(new Error('it has a message that pushbench did not send'));
  const own = isFifoUrl(p.deadUrl === '' ? p.url : p.deadUrl) && {
    group: 'others',
    deduplication: randomUUID(),
  };
  const [sent] = p.deadUrl === '' ? [] : await sendEntries(p.api, p.deadUrl, [{ body, ...own }]);
  if (sent?.state === 'stored') p.removals.add(handle);
  else await tried(p, () => p.api.hide(handle, hiddenMostS));
  return 'done';
}

async function tried(p: Polling, call: () => Promise<void>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    p.report(error);
    return false;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
