// Simulates streams one subscriber at a time: the brute force that groups are compared with. Each delivery
// and each turn of a subscriber's timer is a step of its own.

import { decideHeartbeat, heartbeatTurnMs } from '../../core/policy/server/heartbeat.ts';
import { divideInterval, turnOfMember } from '../../core/policy/server/turns.ts';
import { topicsOf } from '../../core/scenario/topics.ts';
import { noteReceivers } from './server-fan-outs.ts';
import { firstTurnUsAfter } from './signs-of-life.ts';
import type { Sized, StreamParts } from './stream-kind.ts';
import type { Part } from './windows.ts';

export function streamsOneByOne(
  events: Iterable<Sized>,
  { prepared, cluster, fanOuts, span, kind, tally, computed }: StreamParts,
): Part {
  const { groups } = prepared.followers;
  const { subscribers, deliveries } = prepared;
  const { when, everyMs, answerBytes } = kind.life;
  const lifeBytes = kind.life.bytes(prepared.cursorBytes);
  const lapMs = when === 'quiet' ? heartbeatTurnMs(everyMs) : everyMs;
  const lapsUs = span.measureUs - span.beginsUs;
  const steps = deliveries + (subscribers * lapsUs) / (lapMs * 1000);
  let done = 0;
  const followed = Array.from({ length: subscribers }, (_, i) => new Set(topicsOf(groups, i)));
  const writtenUs: number[][] = followed.map(() => []);
  for (const { atUs, topic, bodyBytes, bytes } of events) {
    const receivers = followed.flatMap((topics, subscriber) => (topics.has(topic) ? [subscriber] : []));
    tally.published(atUs, receivers.length);
    computed?.(Math.min(1, (done += receivers.length) / steps));
    const ofServer = Array.from({ length: cluster.count }, (_, server) =>
      receivers.filter((subscriber) => cluster.serverOf(subscriber) === server),
    );
    const arrivals = cluster.arrivals.of({ atUs, topic });
    const counts = ofServer.map(({ length }) => length);
    const those = fanOuts.of(arrivals, { atUs, bodyBytes, receivers: counts });
    for (const [i, { firstUs, medianUs, lastUs }] of those.entries()) {
      const own = ofServer[arrivals[i]!.server]!;
      const middle = Math.ceil(own.length / 2) - 1;
      for (const [k, subscriber] of own.entries()) {
        writtenUs[subscriber]!.push(atUs);
        let us = medianUs;
        if (k < middle) us = firstUs + ((medianUs - firstUs) * k) / middle;
        if (k > middle) us = medianUs + ((lastUs - medianUs) * (k - middle)) / (own.length - 1 - middle);
        tally.deliveredOne(atUs, us, bytes);
      }
    }
    noteReceivers(tally, atUs, those);
  }
  const turns = divideInterval(lapMs);
  for (let subscriber = 0; subscriber < subscribers; subscriber++) {
    computed?.(Math.min(1, (done += lapsUs / (lapMs * 1000)) / steps));
    const shift = span.shifts[cluster.serverOf(subscriber)]!;
    const turn = turnOfMember(turns, Math.floor(subscriber / cluster.count));
    let quiet = false;
    let next = 0;
    let atUs = span.beginsUs + firstTurnUsAfter(shift, turn * turns.everyMs * 1000, lapMs * 1000);
    for (; atUs < span.measureUs; atUs += lapMs * 1000) {
      for (; next < writtenUs[subscriber]!.length && writtenUs[subscriber]![next]! <= atUs; next++)
        quiet = false;
      const decision = when === 'always' ? 'send' : decideHeartbeat(quiet, true, false);
      quiet = !quiet;
      if (decision !== 'send' || atUs < 0) continue;
      tally.add('heartbeats', 1);
      tally.add('bytesOut', lifeBytes);
      tally.add('bytesIn', answerBytes);
    }
  }
  return 'whole';
}
