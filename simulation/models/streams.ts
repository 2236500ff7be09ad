// Simulates what http-stream, sse and websocket share: a connection each that stays open, and events written
// to one after the other. What an event and a sign of life are on the wire is the pattern's.

import { topicCount } from '../../core/scenario/topics.ts';
import { createCosts } from '../costs/costs.ts';
import { expectedErrorAt } from '../costs/expected-error.ts';
import type { ModelInput, PlannedEvent, Simulated } from '../model.ts';
import { drawUs } from '../costs/distribution.ts';
import { createCluster } from './cluster.ts';
import { linesOf } from './fan-out.ts';
import { outcomeOf } from './outcome.ts';
import { prepare, type Prepared } from './prepare.ts';
import { createServerFanOuts, noteReceivers } from './server-fan-outs.ts';
import { createSignsOfLife, signsLeftOut, turnsWithin } from './signs-of-life.ts';
import type { Sized, StreamKind, StreamParts } from './stream-kind.ts';
import { streamsOneByOne } from './streams-one-by-one.ts';
import { createTally } from './tally.ts';
import { cursorOf, envelopeBytes, topicBytes } from './wire-sizes.ts';
import { createBudget, type Part } from './windows.ts';

export function runStreams(input: ModelInput, kind: StreamKind): Simulated {
  const prepared = prepare(input);
  const { subscribers, receivers, measureUs, drainUs, beginsUs, measured, perS } = prepared;
  const { count } = input.scenario.servers;
  const costs = createCosts(measured);
  const tally = createTally(measureUs, drainUs, subscribers, count);
  const payloadBytes = measured.points[0]!.payloadBytes;
  const usual = { receivers: receivers / count, perS: Math.max(perS, 1e-6), payloadBytes };
  const cluster = createCluster(input, prepared, tally, {
    answerUs: () => drawUs(costs.at(usual).firstUs, 0.5),
    passing: receivers,
  });
  const fanOuts = createServerFanOuts(costs, cluster, tally.works, prepared);
  const shifts = input.random('turns');
  const span = { beginsUs, measureUs, shifts: Array.from({ length: count }, shifts) };
  const events = sizedEvents(input.events, prepared, kind);
  const parts: StreamParts = { prepared, cluster, fanOuts, span, kind, tally, computed: input.computed };
  const part = input.clients === 'one-by-one' ? streamsOneByOne(events, parts) : grouped(events, parts);
  const extrapolated = Math.max(fanOuts.extrapolated(), cluster.extrapolated());
  return outcomeOf(input, prepared, tally, cluster, {
    idleShares: Array.from({ length: count }, (_, i) => costs.idleShare(cluster.sizeOf(i))),
    extrapolated,
    expectedError: expectedErrorAt(
      measured.points,
      { receivers: receivers / count, perS: cluster.ratePerServer(perS), payloadBytes },
      fanOuts.extrapolated(),
    ),
    part,
    leavesOut: [
      'subscribers that read too slowly: all of them read at once',
      ...signsLeftOut(measured.points, cluster.sizeOf(0)),
      ...(kind.leavesOut ?? []),
    ],
  });
}

function grouped(
  events: Iterable<Sized>,
  { prepared, cluster, fanOuts, span, kind, tally, computed }: StreamParts,
): Part {
  const { followers, measureUs, subscribers } = prepared;
  const { everyMs, when, ...each } = kind.life;
  const signs = when === 'quiet' ? createSignsOfLife(followers, everyMs, span) : undefined;
  const budget = createBudget(prepared.steady, { roundUs: 1000 * everyMs, least: 3 }, measureUs, computed);
  const receivers = Array.from({ length: cluster.count }, () => 0);
  let part: Part = 'whole';
  let endsUs = measureUs;
  for (const { atUs, topic, bodyBytes, bytes } of events) {
    receivers.fill(0);
    let all = 0;
    const [from, to] = [followers.from[topic]!, followers.from[topic + 1]!];
    for (let i = from; i < to; i++) {
      const ofClass = followers.list[i]!;
      const size = followers.size(ofClass);
      all += size;
      receivers[cluster.serverOf(ofClass)]! += size;
    }
    tally.published(atUs, all);
    const arrivals = cluster.arrivals.of({ atUs, topic });
    if (signs)
      for (let i = from; i < to; i++) {
        const ofClass = followers.list[i]!;
        const server = cluster.serverOf(ofClass);
        if (arrivals.length === cluster.count || arrivals[0]!.server === server) signs.written(ofClass, atUs);
      }
    const those = fanOuts.of(arrivals, { atUs, bodyBytes, receivers });
    for (const one of those)
      linesOf(
        one,
        0,
        one.count,
        (firstUs, stepUs, count) => void tally.delivered(atUs, firstUs, stepUs, count, bytes),
      );
    noteReceivers(tally, atUs, those);
    part = budget(to - from + cluster.count - 1, atUs, fanOuts.loadsAt(atUs));
    if (part !== 'whole') {
      endsUs = atUs;
      break;
    }
  }
  if (part !== 'whole') tally.endAt(endsUs);
  const sent = signs ? signs.finish(endsUs) : (turnsWithin(subscribers, everyMs, span) * endsUs) / measureUs;
  tally.add('heartbeats', sent);
  tally.add('bytesOut', sent * each.bytes(prepared.cursorBytes));
  tally.add('bytesIn', sent * each.answerBytes);
  if (part !== 'whole') tally.stretch(prepared.events);
  return part;
}

/** The events of a schedule with what each is on the wire. */
export function* sizedEvents(
  events: Iterable<PlannedEvent>,
  { followers: { groups }, warmUpEvents, bareBytes }: Prepared,
  kind: StreamKind,
): Generator<Sized> {
  const topics = topicCount(groups);
  let before = warmUpEvents;
  for (const event of events) {
    const numbers = { events: before, ofTopic: Math.ceil(++before / topics) };
    const nameBytes = topicBytes(groups, event.topic);
    const envelope = envelopeBytes(bareBytes, nameBytes, event.bodyBytes, numbers);
    yield { ...event, bytes: kind.eventBytes(envelope, cursorOf(before).length), jsonBytes: envelope };
  }
}
