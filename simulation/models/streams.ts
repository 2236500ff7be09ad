// Simulates what http-stream, sse and websocket share: a connection each that stays open, and events written
// to one after the other. What an event and a sign of life are on the wire is the pattern's.

import { createCosts } from '../costs/costs.ts';
import { expectedErrorAt } from '../costs/expected-error.ts';
import type { ModelInput, PlannedEvent, Simulated } from '../model.ts';
import { createFanOuts, linesOf } from './fan-out.ts';
import { outcomeOf } from './outcome.ts';
import { createRate, prepare, receiversOf, type Prepared } from './prepare.ts';
import { createServer } from './server.ts';
import { createSignsOfLife, turnsWithin } from './signs-of-life.ts';
import type { Sized, StreamKind } from './stream-kind.ts';
import { streamsOneByOne } from './streams-one-by-one.ts';
import { createTally } from './tally.ts';
import { cursorOf, envelopeBytes, topicBytes } from './wire-sizes.ts';
import { createBudget, type Part } from './windows.ts';

export function runStreams(input: ModelInput, kind: StreamKind): Simulated {
  const prepared = prepare(input);
  const { followers, subscribers, measureUs, drainUs, beginsUs, measured } = prepared;
  const costs = createCosts(measured);
  const server = createServer();
  const tally = createTally(measureUs, drainUs, subscribers);
  const fanOuts = createFanOuts(costs, server, tally, input.random('latency'));
  const shift = input.random('turns')();
  const rateAt = createRate(prepared);
  const span = { beginsUs, measureUs, shift };
  const events = sizedEvents(input.events, prepared, kind);

  let part: Part = 'whole';
  if (input.clients === 'one-by-one') {
    const { deliveries } = prepared;
    const { computed } = input;
    streamsOneByOne(events, {
      followers,
      subscribers,
      span,
      kind,
      fanOuts,
      rateAt,
      tally,
      deliveries,
      computed,
    });
  } else {
    const signs =
      kind.life.when === 'quiet' ? createSignsOfLife(followers, kind.life.everyMs, span) : undefined;
    const budget = createBudget(
      prepared.steady,
      { roundUs: 1000 * kind.life.everyMs, least: 3 },
      measureUs,
      input.computed,
    );
    let endsUs = measureUs;
    for (const { atUs, topic, bodyBytes, bytes } of events) {
      let receivers = 0;
      for (let i = followers.from[topic]!; i < followers.from[topic + 1]!; i++) {
        const ofClass = followers.list[i]!;
        receivers += followers.size(ofClass);
        signs?.written(ofClass, atUs);
      }
      tally.published(atUs, receivers);
      const fanOut = fanOuts.of({ atUs, perS: rateAt(atUs), payloadBytes: bodyBytes, receivers });
      linesOf(
        fanOut,
        0,
        receivers,
        (firstUs, stepUs, count) => void tally.delivered(atUs, firstUs, stepUs, count, bytes),
      );
      if (receivers > 1) tally.receivers(atUs, fanOut.firstUs, fanOut.medianUs, fanOut.lastUs);
      part = budget(
        followers.from[topic + 1]! - followers.from[topic]!,
        atUs,
        tally.loadAt(atUs, server.freeAtUs()),
      );
      if (part !== 'whole') {
        endsUs = atUs;
        break;
      }
    }
    if (part !== 'whole') tally.endAt(endsUs);
    const sent = signs
      ? signs.finish(endsUs)
      : (turnsWithin(subscribers, kind.life.everyMs, span) * endsUs) / measureUs;
    tally.add('heartbeats', sent);
    tally.add('bytesOut', sent * kind.life.bytes);
    tally.add('bytesIn', sent * kind.life.answerBytes);
    if (part !== 'whole') tally.stretch(prepared.events);
  }
  const receivers = receiversOf(input.scenario, followers.groups);
  return outcomeOf(input, prepared, tally, {
    idleShare: costs.idleShare(subscribers),
    extrapolated: fanOuts.extrapolated(),
    expectedError: expectedErrorAt(
      measured.points,
      { receivers, perS: prepared.perS, payloadBytes: measured.points[0]!.payloadBytes },
      fanOuts.extrapolated(),
    ),
    part,
    leavesOut: [
      'subscribers that read too slowly: all of them read at once what comes',
      ...(kind.leavesOut ?? []),
    ],
  });
}

function* sizedEvents(
  events: Iterable<PlannedEvent>,
  { followers: { groups }, warmUpEvents }: Prepared,
  kind: StreamKind,
): Generator<Sized> {
  const topics = groups.reduce((sum, { count }) => sum + count, 0);
  let before = warmUpEvents;
  for (const event of events) {
    const numbers = { events: before, ofTopic: Math.ceil(++before / topics) };
    const envelope = envelopeBytes(topicBytes(groups, event.topic), event.bodyBytes, numbers);
    yield { ...event, bytes: kind.eventBytes(envelope, cursorOf(before).length) };
  }
}
