// Settles the ledger of a load process: how many of the published events of its topics each follower was
// owed, how many arrived, and how many it missed while it was away.

import type { EventNumber, LoadClosed } from '../../core/protocol/control.ts';
import { close, type Ledger } from '../../core/result/ledger.ts';
import type { Absences } from './absences.ts';
import type { Slots } from './ledger-slots.ts';

/** Missed stretches listed in the ledger. */
const keptMissing = 100;

type Account = {
  ledger: Ledger;
  slots: Slots;
  absences: Pick<Absences, 'whileAway'>;
  /** The scenario's number of this process's subscriber 0. */
  first: number;
};

/**
 * What the published range of each topic comes to.
 * @returns how many of it each follower was owed, how many arrived, how many of the others came to be while
 *   the follower was away, arrivals of events that were not confirmed, and the first missing stretches
 */
export function settle(
  { ledger, slots, absences, first }: Account,
  firstSeq: Int32Array,
  lastSeq: Int32Array,
  unconfirmed: readonly EventNumber[],
) {
  const disregarded = seqsByTopic(unconfirmed);
  const missing: LoadClosed['ledger']['missing'] = [];
  let [expected, arrived, stray, missedAway] = [0, 0, 0, 0];
  for (let slot = 0; slot < slots.count; slot++) {
    const topic = slots.topicAt(slot);
    const range = close(ledger, slot, firstSeq[topic]!, lastSeq[topic]!);
    expected += Math.max(0, lastSeq[topic]! - firstSeq[topic]! + 1);
    arrived += range.delivered;
    // Nobody is owed an unconfirmed event, and where one arrives all the same, it is not counted.
    for (const seq of disregarded.get(topic) ?? []) {
      const came = seq > ledger.to[slot]! ? 0 : close(ledger, slot, seq, seq).delivered;
      stray += came;
      if (seq < firstSeq[topic]! || seq > lastSeq[topic]!) continue;
      expected--;
      arrived -= came;
      if (came === 0) missedAway -= absences.whileAway(slot, seq, seq);
    }
    for (const [from, to] of range.missing) {
      missedAway += absences.whileAway(slot, from, to);
      if (missing.length < keptMissing)
        missing.push({ subscriber: first + slots.subscriberAt(slot), topic, from, to });
    }
  }
  return { expected, arrived, stray, missedAway, missing };
}

function seqsByTopic(events: readonly EventNumber[]): Map<number, number[]> {
  const byTopic = new Map<number, number[]>();
  for (const { topic, seq } of events) byTopic.set(topic, [...(byTopic.get(topic) ?? []), seq]);
  return byTopic;
}
