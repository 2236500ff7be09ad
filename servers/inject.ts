// Makes a reference server worse on purpose (core/scenario/injection.ts), so that a measurement must notice;
// it is never for serving. It works between the hub and the pattern and between the listener and the count
// of connections, so that no pattern knows of it. It holds back at most the events published within the
// delay.

import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Injection } from '../core/scenario/injection.ts';
import type { ServerLimits } from '../core/scenario/scenario.ts';
import type { HubEvent, Stamps } from './hub/event.ts';
import { createHub, type LocalHub } from './hub/hub.ts';
import type { Tally } from './http/connection-counts.ts';

/** Duplicates that wait for a subscriber that has had the first delivery. */
const owedKept = 1000;

/** @returns the hub that the pattern and the publishers get in the place of `hub` */
export function injectHub(
  hub: LocalHub,
  limits: ServerLimits,
  { delayMs, cpuUsPerMessage = 0, lossShare = 0, duplicateShare = 0 }: Injection,
  random: () => number,
): LocalHub {
  const seen = delayMs === undefined ? hub : delayed(hub, limits, delayMs);
  if (cpuUsPerMessage === 0 && lossShare === 0 && duplicateShare === 0) return seen;
  const owed: HubEvent[] = [];
  const work = createWork(cpuUsPerMessage);
  const isLost = () => lossShare > 0 && random() < lossShare;
  const isDoubled = () => duplicateShare > 0 && random() < duplicateShare;
  return {
    ...seen,
    subscribe(topics, listener, subscriber, since) {
      let ended = false;
      const end = seen.subscribe(
        topics,
        (event) => {
          if (isLost()) return;
          work(1);
          const twice = isDoubled();
          listener(event, subscriber);
          if (!twice) return;
          if (!ended) listener(event, subscriber);
          else if (owed.length < owedKept) owed.push(event); // a held request ends with its first event
        },
        subscriber,
        since,
      );
      return () => {
        ended = true;
        end();
      };
    },
    followers(topic) {
      const told = seen
        .followers(topic)
        .filter(() => !isLost())
        .flatMap((subscriber) => (isDoubled() ? [subscriber, subscriber] : [subscriber]));
      work(told.length);
      return told;
    },
    since(topics, cursor) {
      const { events, lost } = seen.since(topics, cursor);
      const made = events
        .filter(() => !isLost())
        .flatMap((event) => (isDoubled() ? [event, event] : [event]));
      const at = owed.findIndex((event) => topics.includes(event.topic) && event.offset <= offsetIn(cursor));
      if (at >= 0) made.unshift(...owed.splice(at, 1));
      work(made.length);
      return { events: made, lost };
    },
  };
}

/** Descriptors of each counted connection, from the moment it is counted until it closes. */
export function injectTally(tally: Tally, { descriptorsPerConnection = 0 }: Injection): Tally {
  if (descriptorsPerConnection === 0) return tally;
  const burdened = new WeakSet<Socket>();
  return {
    ...tally,
    add(socket) {
      tally.add(socket);
      if (burdened.has(socket) || socket.closed) return;
      burdened.add(socket);
      const extra = Array.from({ length: descriptorsPerConnection }, () => openSync('/dev/null', 'r'));
      socket.once('close', () => extra.forEach((descriptor) => closeSync(descriptor)));
    },
  };
}

/**
 * What is published reaches a second hub when its time has come. Both number alike, so that a publisher is
 * told at once which event it was, and the time of acceptance is the first hub's.
 */
function delayed(front: LocalHub, limits: ServerLimits, delayMs: number): LocalHub {
  let acceptedUs = 0;
  const back = createHub(limits, { epoch: front.epoch, nowUs: () => acceptedUs });
  function later(event: HubEvent, body: string, stamps: Stamps, taken?: (event: HubEvent) => void): void {
    const accepted = Number(/"accepted":(\d+)/.exec(event.json)?.[1]);
    // Timers of one length fire in the order in which they were set.
    setTimeout(() => {
      acceptedUs = accepted;
      back.draft(event.topic, body, stamps, taken);
      back.take();
    }, delayMs);
  }
  return {
    ...back,
    published: front.published,
    publish(topic, body, stamps) {
      const event = front.publish(topic, body, stamps);
      later(event, body, stamps);
      return event;
    },
    draft: (topic, body, stamps, taken) =>
      front.draft(topic, body, stamps, (event) => later(event, body, stamps, taken)),
    take: front.take,
    drop: front.drop,
  };
}

function offsetIn(cursor: string): number {
  return Number(cursor.slice(cursor.lastIndexOf('-') + 1));
}

/**
 * Work for each message that takes so long on average: what one took too long by, for the clock is read in
 * steps, the next one takes less.
 */
function createWork(usEach: number): (messages: number) => void {
  if (usEach === 0) return () => {};
  let aheadMs = 0;
  return (messages) => {
    if (messages === 0) return;
    const dueMs = (messages * usEach) / 1000 - aheadMs;
    const from = performance.now();
    let spentMs = 0;
    do spentMs = performance.now() - from;
    while (spentMs < dueMs);
    // A process that was put aside for longer did not work meanwhile.
    aheadMs = Math.min(spentMs - dueMs, usEach / 1000);
  };
}
