// Simulates streams one subscriber at a time: the brute force that groups are held against. Each delivery and
// each turn of a subscriber's timer is a step of its own.

import { decideHeartbeat, heartbeatTurnMs } from '../../core/policy/server/heartbeat.ts';
import { divideInterval, turnOfMember } from '../../core/policy/server/turns.ts';
import { topicsOf } from '../../core/scenario/topics.ts';
import type { ModelInput } from '../model.ts';
import type { FanOuts } from './fan-out.ts';
import type { Followers } from './followers.ts';
import type { Sized, StreamKind } from './stream-kind.ts';
import type { Tally } from './tally.ts';

export type OneByOne = {
  followers: Pick<Followers, 'groups'>;
  subscribers: number;
  span: { beginsUs: number; measureUs: number; shift: number };
  kind: StreamKind;
  fanOuts: FanOuts;
  rateAt: (atUs: number) => number;
  tally: Tally;
  /** About so many there will be. */
  deliveries: number;
  computed: ModelInput['computed'];
};

export function streamsOneByOne(
  events: Iterable<Sized>,
  { followers: { groups }, subscribers, span, kind, fanOuts, rateAt, tally, ...work }: OneByOne,
): void {
  const { when, everyMs, bytes: lifeBytes, answerBytes } = kind.life;
  const lapMs = when === 'quiet' ? heartbeatTurnMs(everyMs) : everyMs;
  const lapsUs = span.measureUs - span.beginsUs;
  const steps = work.deliveries + (subscribers * lapsUs) / (lapMs * 1000);
  let done = 0;
  const followed = Array.from({ length: subscribers }, (_, i) => new Set(topicsOf(groups, i)));
  const writtenUs: number[][] = followed.map(() => []);
  for (const { atUs, topic, bodyBytes, bytes } of events) {
    const receivers = followed.flatMap((topics, subscriber) => (topics.has(topic) ? [subscriber] : []));
    const { length } = receivers;
    tally.published(atUs, length);
    work.computed?.(Math.min(1, (done += length) / steps));
    const fanOut = fanOuts.of({ atUs, perS: rateAt(atUs), payloadBytes: bodyBytes, receivers: length });
    const { firstUs, medianUs, lastUs } = fanOut;
    const middle = Math.ceil(length / 2) - 1;
    for (const [k, subscriber] of receivers.entries()) {
      writtenUs[subscriber]!.push(atUs);
      let us = medianUs;
      if (k < middle) us = firstUs + ((medianUs - firstUs) * k) / middle;
      if (k > middle) us = medianUs + ((lastUs - medianUs) * (k - middle)) / (length - 1 - middle);
      tally.deliveredOne(atUs, us, bytes);
    }
    if (length > 1) tally.receivers(atUs, firstUs, medianUs, lastUs);
  }
  const turns = divideInterval(lapMs);
  for (let subscriber = 0; subscriber < subscribers; subscriber++) {
    work.computed?.(Math.min(1, (done += lapsUs / (lapMs * 1000)) / steps));
    const turn = turnOfMember(turns, subscriber);
    let quiet = false;
    let next = 0;
    let atUs = span.beginsUs + span.shift * lapMs * 1000 + turn * turns.everyMs * 1000;
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
}
