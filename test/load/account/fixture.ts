// Holds what the tests of the account share: a recorder for a few subscribers, and arrivals.

import { newCounters } from '../../../core/result/counters.ts';
import { encodeEnvelope } from '../../../core/event/envelope.ts';
import { planTopics, type TopicGroupPlan } from '../../../core/scenario/topics.ts';
import { createRecorder, type Recorder } from '../../../load/account/recorder.ts';

export const window = { warmupFromUs: 0, fromUs: 10_000, toUs: 20_000, slotUs: 1000 };

export type Groups = Record<string, { count: number | 'per-subscriber'; follow: number }>;
export const plan = (subscribers: number, topics: Groups) =>
  // Rates and payloads do not matter here.
  planTopics({ subscribers, topics: topics as Parameters<typeof planTopics>[0]['topics'] });

export function setup({
  first = 0,
  count = 1,
  topics = plan(1, { news: { count: 1, follow: 1 } }),
  subscribers = first + count,
  fanoutEvery = 1,
}: {
  first?: number;
  count?: number;
  topics?: TopicGroupPlan[];
  subscribers?: number;
  fanoutEvery?: number;
} = {}) {
  const counters = newCounters();
  const connected: number[] = [];
  const recorder = createRecorder({
    first,
    count,
    topics,
    subscribers,
    fanoutEvery,
    counters,
    onReady: (n) => void connected.push(n),
  });
  return { recorder, counters, connected, topics };
}

export type Arrival = {
  subscriber?: number;
  topic?: string;
  seq: number;
  plannedUs?: number;
  acceptedUs?: number;
  atUs?: number;
  body?: string;
  crc?: number;
};

export function deliver(
  { sink }: Recorder,
  {
    subscriber = 0,
    topic = 'news',
    seq,
    plannedUs = 15_000,
    acceptedUs = plannedUs,
    atUs = plannedUs + 10,
    body = '{}',
    crc,
  }: Arrival,
): boolean {
  const json = encodeEnvelope({
    id: `abc-${seq}`,
    topic,
    seq,
    plannedUs,
    sentUs: plannedUs,
    acceptedUs,
    body,
    ...(crc === undefined ? {} : { crc }),
  });
  const bytes = Buffer.from(`--${json}--`);
  return sink.event(subscriber, bytes, 2, bytes.length - 2, atUs);
}

export const seqs = (...values: number[]) => Int32Array.from(values);
