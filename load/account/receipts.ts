// Keeps who got a shared event when: the latencies of all receivers in this process, for one event in every
// few, so that first, median and last receiver of a fan-out can be told.

import type { LoadClosed } from '../../core/protocol/control.ts';

/** Latencies kept at most, 4 bytes each. Events beyond are left out whole. */
const keptLatencies = 4_000_000;

type Receipts = {
  topic: number;
  seq: number;
  latenciesUs: Int32Array;
  count: number;
  acceptedUs: number | undefined;
};

export type ReceiptLog = {
  /**
   * @param followers how many of this process can get the event
   * @param acceptedUs when the server took it, from planned time; the same for all receivers
   */
  add(topic: number, seq: number, latencyUs: number, followers: number, acceptedUs: number | undefined): void;
  take(): Pick<LoadClosed, 'fanout' | 'shared'>;
};

/** @param every keep one event in this many */
export function createReceiptLog(every: number): ReceiptLog {
  const byTopic = new Map<number, Map<number, Receipts>>();
  let kept = 0;
  let shared = 0;
  let latest: Receipts | undefined;

  function receiptsOf(
    topic: number,
    seq: number,
    followers: number,
    acceptedUs: number | undefined,
  ): Receipts | undefined {
    // The receipts of one event come one after another.
    if (latest?.seq === seq && latest.topic === topic) return latest;
    let bySeq = byTopic.get(topic);
    if (!bySeq) byTopic.set(topic, (bySeq = new Map()));
    let receipts = bySeq.get(seq);
    if (!receipts) {
      if (kept + followers > keptLatencies) return undefined;
      kept += followers;
      receipts = { topic, seq, latenciesUs: new Int32Array(followers), count: 0, acceptedUs };
      bySeq.set(seq, receipts);
    }
    return (latest = receipts);
  }

  return {
    add(topic, seq, latencyUs, followers, acceptedUs) {
      shared++;
      // By the topic too, so that topics with few events have their share.
      if ((topic + seq) % every !== 0) return;
      const receipts = receiptsOf(topic, seq, followers, acceptedUs);
      if (receipts) receipts.latenciesUs[receipts.count++] = latencyUs;
    },
    take: () => ({
      shared,
      fanout: [...byTopic.values()].flatMap((bySeq) =>
        [...bySeq.values()].map(({ topic, seq, latenciesUs, count, acceptedUs }) => ({
          topic,
          seq,
          latenciesUs: latenciesUs.slice(0, count).sort(),
          ...(acceptedUs !== undefined && { acceptedUs }),
        })),
      ),
    }),
  };
}
