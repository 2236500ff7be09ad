// Says when the server has taken a published event and what its deliveries will cost, from the profile: one
// draw decides the first, the median and the last receiver of an event, as with every fan-out, and with them
// how long the server's thread takes to send to each of the others.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import { topicCount } from '../../core/scenario/topics.ts';
import { createCosts } from '../costs/costs.ts';
import { drawUs } from '../costs/distribution.ts';
import type { ModelInput, PlannedEvent } from '../model.ts';
import { createRate, type Prepared } from './prepare.ts';
import { cursorOf, envelopeBytes, topicBytes } from './wire-sizes.ts';
import type { Planned } from '../webhooks/published.ts';
import { createRequestBytes, meanDigits } from './webhook-wire.ts';

export type Acceptance = {
  /** Calls come in the order of time. @returns when the server has taken it, and what it is */
  of(event: PlannedEvent, receivers: number): { atUs: number; event: Planned };
  extrapolated(): number;
  /** Of the server's CPU, an attempt of the last event. */
  cpuUs(): number;
  idleShare: number;
};

export function createAcceptance(
  input: ModelInput,
  prepared: Prepared,
  { scheme }: Pick<PatternOptions<'webhook'>, 'scheme'>,
): Acceptance {
  const { measured, subscribers } = prepared;
  const { groups } = prepared.followers;
  const costs = createCosts(measured);
  const rateAt = createRate(prepared);
  const draw = input.random('latency');
  const requestBytes = createRequestBytes(scheme, meanDigits(subscribers));
  const topics = topicCount(groups);
  const seqs = new Uint32Array(topics);
  let before = prepared.warmUpEvents;
  let lastUs = -Infinity;
  let extrapolated = 1;
  let cpuUs = 0;

  return {
    of({ atUs, topic, bodyBytes }, receivers) {
      const cost = costs.at({ receivers, perS: rateAt(atUs), payloadBytes: bodyBytes });
      extrapolated = Math.max(extrapolated, cost.extrapolated);
      cpuUs = cost.cpuUs / receivers;
      const u = draw();
      const medianUs = drawUs(cost.medianUs, u);
      // One receiver is first, median and last.
      const firstUs = receivers > 1 ? drawUs(cost.firstUs, u) : medianUs;
      const middle = (receivers - 1) >> 1;
      const behind = receivers - 1 - middle;
      // Half of an attempt's CPU is before it is sent, the other half is for its answer. What is published is
      // taken in order.
      lastUs = Math.max(lastUs, atUs + Math.max(0, firstUs - cpuUs / 2));
      const ofTopic = Math.ceil((before + 1) / topics);
      const nameBytes = topicBytes(groups, topic);
      const sent = {
        bodyBytes: envelopeBytes(prepared.bareBytes, nameBytes, bodyBytes, { events: before, ofTopic }),
        idBytes: cursorOf(++before).length,
        topicBytes: nameBytes,
      };
      const event: Planned = {
        plannedUs: atUs,
        topic,
        seq: ++seqs[topic]!,
        bodyBytes: sent.bodyBytes,
        requestBytes: Math.round(requestBytes(sent)),
        receivers,
        beforeUs: middle === 0 ? 0 : (medianUs - firstUs) / middle,
        behindUs: behind === 0 ? 0 : (drawUs(cost.lastUs, u) - medianUs) / behind,
        cpuUs,
      };
      return { atUs: lastUs, event };
    },
    extrapolated: () => extrapolated,
    cpuUs: () => cpuUs,
    idleShare: costs.idleShare(subscribers),
  };
}
