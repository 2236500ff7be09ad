// Sends messages to SQS: as many in a request as it takes, and again where SQS did not take them or nobody
// knows. A FIFO queue must get what is in one group in its order, so there nothing is sent behind a message
// that came after it, and nothing behind one that is missing or may be.

import type { Sent } from '../queue/work-queue.ts';
import { isFifoUrl, type Entry, type EntryOutcome, type SqsApi } from './api.ts';

/** Messages of one request. */
export const entriesMost = 10;
/** Of all messages of a request together. AWS has come to take 1 MiB; what stands in for it takes this. */
const requestBytesMost = 262_144;
const sendTries = 3;
/** Before the second try; before the third it is twice as long. */
const againMs = 100;

type Sender = Pick<SqsApi, 'send'>;

/** @returns for each what became of it. Never throws */
export async function sendEntries(api: Sender, url: string, entries: readonly Entry[]): Promise<Sent[]> {
  const chunks = chunksOf(entries);
  const outcomes = isFifoUrl(url)
    ? await sendInTurn(api, url, chunks)
    : (await Promise.all(chunks.map((chunk) => sendChunk(api, url, chunk)))).flat();
  return outcomes.map((one): Sent => {
    if (one.state === 'stored') return one;
    return { state: one.state === 'unknown' ? 'unknown' : 'refused', why: one.why };
  });
}

/** As many at a time as a request takes. */
function chunksOf(entries: readonly Entry[]): Entry[][] {
  const chunks: Entry[][] = [];
  let bytesLeft = 0;
  for (const entry of entries) {
    const bytes = Buffer.byteLength(entry.body);
    const last = chunks.at(-1);
    if (last && last.length < entriesMost && bytes <= bytesLeft) last.push(entry);
    else {
      chunks.push([entry]);
      bytesLeft = requestBytesMost;
    }
    bytesLeft -= bytes;
  }
  return chunks;
}

/**
 * One request after the other. Where one of a group failed, what is behind it in later requests is not sent:
 * it would overtake one that arrives late, and would only wait where SQS is in trouble.
 */
async function sendInTurn(
  api: Sender,
  url: string,
  chunks: readonly (readonly Entry[])[],
): Promise<EntryOutcome[]> {
  /** Why groups are held back. */
  const held = new Map<string | undefined, string>();
  const all: EntryOutcome[] = [];
  for (const chunk of chunks) {
    const free = chunk.filter(({ group }) => !held.has(group));
    const outcomes = free.length === 0 ? [] : await sendChunk(api, url, free);
    const outcomeOf = new Map(free.map((entry, i) => [entry, outcomes[i]!])); // one for each
    for (const entry of chunk) {
      const notSent = `it was not sent, because one before it failed: ${held.get(entry.group)}`;
      all.push(outcomeOf.get(entry) ?? { state: 'refused', why: notSent });
    }
    for (const [{ group }, outcome] of outcomeOf)
      if (outcome.state === 'again' || outcome.state === 'unknown') held.set(group, outcome.why);
  }
  return all;
}

/**
 * Sends entries again that were not taken, or whose outcome nobody knows. A work that was sent twice is done
 * once (../queue/records.ts), and a FIFO queue drops the second itself.
 */
async function sendChunk(api: Sender, url: string, entries: readonly Entry[]): Promise<EntryOutcome[]> {
  const outcomes: (EntryOutcome | undefined)[] = entries.map(() => undefined);
  const maybe = new Set<number>();
  for (let tries = 0; tries < sendTries; tries++) {
    const open = entries.flatMap((_, i) => (isOpen(entries, outcomes, i) ? [i] : []));
    if (open.length === 0) break;
    if (tries > 0) await new Promise((resolve) => setTimeout(resolve, againMs * tries));
    const answers = await api.send(
      url,
      open.map((i) => entries[i]!),
    );
    for (const [at, i] of open.entries()) {
      const answer = answers[at]!; // one for each
      outcomes[i] = answer;
      if (answer.state === 'unknown') maybe.add(i);
    }
  }
  return outcomes.map((outcome, i): EntryOutcome => {
    const now = outcome!; // each was tried
    return now.state === 'stored' || !maybe.has(i) ? now : { state: 'unknown', why: now.why };
  });
}

/** Whether it is to be sent (again): not behind one of its group that came after it and is stored. */
function isOpen(
  entries: readonly Entry[],
  outcomes: readonly (EntryOutcome | undefined)[],
  at: number,
): boolean {
  const outcome = outcomes[at];
  if (outcome?.state === 'stored' || outcome?.state === 'refused') return false;
  const { group } = entries[at]!;
  if (group === undefined) return true;
  return !entries.some((other, i) => i > at && other.group === group && outcomes[i]?.state === 'stored');
}
