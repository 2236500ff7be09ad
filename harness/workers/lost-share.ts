// Closes the ledger of a load process that was lost in the middle of a trial: what its subscribers were owed,
// what of that it had reported, and the rest, of which nobody can say whether it arrived.

import type { EventNumber, LoadClosed, LoadCommand, LoadSample } from '../../core/protocol/control.ts';
import { newCounters } from '../../core/result/counters.ts';
import { newHistogram, toSparse } from '../../core/result/histogram.ts';
import { topicsOf } from '../../core/scenario/topics.ts';

type Command<K extends LoadCommand['kind']> = Extract<LoadCommand, { kind: K }>;
type Share = Pick<Command<'start'>, 'first' | 'count' | 'topics'>;
type Published = Pick<Command<'close'>, 'firstSeq' | 'lastSeq' | 'unconfirmed'>;

/**
 * @param last its last sample
 * @param why it was lost, in a sentence
 */
export function closeLost(
  share: Share,
  published: Published,
  last: Pick<LoadSample, 'counters' | 'delivered'> | undefined,
  why: string,
): LoadClosed {
  const expected = owedTo(share, published);
  const delivered = Math.min(last?.delivered ?? 0, expected);
  return {
    kind: 'closed',
    counters: last?.counters ?? newCounters(),
    ledger: {
      expected,
      delivered,
      missed: 0,
      unreported: expected - delivered,
      duplicated: 0,
      reordered: 0,
      resumed: 0,
      corrupted: 0,
      unexpected: 0,
      missing: [],
    },
    acceptToReceipt: toSparse(newHistogram()),
    fanout: [],
    shared: 0,
    problems: [{ code: 'worker-lost', message: why, count: 1 }],
  };
}

/** Each published event once for each of the subscribers that follow its topic, as load processes count. */
function owedTo({ first, count, topics }: Share, { firstSeq, lastSeq, unconfirmed = [] }: Published): number {
  const owed = (topic: number) => Math.max(0, lastSeq[topic]! - firstSeq[topic]! + 1);
  const inRange = ({ topic, seq }: EventNumber) => seq >= firstSeq[topic]! && seq <= lastSeq[topic]!;
  const nobodys = new Map<number, number>();
  for (const { topic } of unconfirmed.filter(inRange)) nobodys.set(topic, (nobodys.get(topic) ?? 0) + 1);
  let sum = 0;
  for (let subscriber = first; subscriber < first + count; subscriber++)
    for (const topic of topicsOf(topics, subscriber)) sum += owed(topic) - (nobodys.get(topic) ?? 0);
  return sum;
}
