// Connects hubs through a real broker, follows them, and publishes to them as the harness' publisher does.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import type { BrokerAccess } from '../../../core/protocol/control.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { connectBroker, type ConnectedHub } from '../../../servers/brokers/connect.ts';
import { RequestError } from '../../../servers/http/request.ts';
import type { HubEvent, Place } from '../../../servers/hub/event.ts';

export type Member = ConnectedHub & {
  /** What a subscriber of `topics` got that is there from the beginning. */
  got: HubEvent[];
};

export const topics = ['a', 'b', 'c'];

/** A hub with a follower of all topics; it ends with the test. */
export async function join(
  t: TestContext,
  access: BrokerAccess,
  limits: Partial<ServerLimits> = {},
): Promise<Member> {
  const connected = await connectBroker(access, { ...defaultLimits, ...limits });
  t.onTestFinished(connected.close);
  const got: HubEvent[] = [];
  connected.hub.subscribe(topics, (event) => void got.push(event), undefined);
  return { ...connected, got };
}

/** Fails when `holds` does not come true in time. */
export async function until(what: string, holds: () => boolean, withinMs = 30_000): Promise<void> {
  const limit = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > limit) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}

/** `TOPIC SEQ BODY` of an event. */
export function told({ json }: HubEvent): string {
  const { topic, seq, body } = decodeEnvelope(json);
  return `${topic} ${seq} ${body}`;
}

/** A refusal that a publisher can do something about. */
export function isRefusal(error: unknown): error is RequestError {
  return (
    error instanceof RequestError &&
    error.status === 503 &&
    ['broker-away', 'unknown'].includes(error.code) &&
    /127\.0\.0\.1:\d+/.test(error.message)
  );
}

/** Numbers the events of each topic, and gives each its key. */
export function createPublisher() {
  const numbers = new Map<string, number>();
  async function send({ hub }: Pick<ConnectedHub, 'hub'>, topic: string, seq: number): Promise<Place> {
    return hub.publish(topic, JSON.stringify({ n: seq }), { seq }, { key: `${topic}-${seq}` });
  }
  function next(topic: string): number {
    const seq = (numbers.get(topic) ?? 0) + 1;
    numbers.set(topic, seq);
    return seq;
  }
  return {
    next,
    send,
    publish: (member: Pick<ConnectedHub, 'hub'>, topic: string) => send(member, topic, next(topic)),
    /** The newest event of a topic, as `told` says it. */
    newest: (topic: string) => `${topic} ${numbers.get(topic)} {"n":${numbers.get(topic)}}`,
    /** Publishes one event, at one server after the other until one has taken it. */
    async insist(members: readonly Pick<ConnectedHub, 'hub'>[], topic: string): Promise<Place> {
      const seq = next(topic);
      for (let i = 0; i < 400; i++) {
        try {
          return await send(members[i % members.length]!, topic, seq);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          await sleep(25);
        }
      }
      return assert.fail('nobody took the event');
    },
  };
}

/** Publishes until all have the newest: who reconnects late misses events if the broker keeps none. */
export async function goOn(
  members: readonly Member[],
  publisher: ReturnType<typeof createPublisher>,
  topic: string,
  keeps: boolean,
): Promise<void> {
  const have = () => members.every(({ got }) => got.some((event) => told(event) === publisher.newest(topic)));
  for (let i = 0; i < 100; i++) {
    for (let waitedMs = 0; waitedMs < (keeps ? 30_000 : 200) && !have(); waitedMs += 10) await sleep(10);
    if (have()) return;
    await publisher.insist(members, topic);
  }
  assert.fail('not all of them go on');
}

/** What has been published is at all of them, in one order where that is promised. */
export async function agree(members: readonly Member[], count: number, order: boolean): Promise<void> {
  await until(`all have ${count}`, () => members.every(({ got }) => got.length >= count));
  await sleep(50); // a duplicate would come now
  const [first, ...others] = members.map(({ got }) => got);
  for (const got of [first!, ...others]) assert.equal(new Set(got.map(told)).size, count);
  for (const got of others)
    if (order) assert.deepEqual(got, first);
    else assert.deepEqual(got.map(told).sort(), first!.map(told).sort());
}
