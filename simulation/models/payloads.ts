// Notes the smallest and the largest payload of the events as they are read, for models that take what an
// answer costs from points of one payload.

import type { ProfilePoint } from '../../core/profile/profile.ts';
import { payloadOutside } from '../costs/costs.ts';
import type { PlannedEvent } from '../model.ts';

export type Payloads = {
  /** The same events, to be read once. */
  events: Iterable<PlannedEvent>;
  /** How far outside of the measured payloads the furthest event that was read is; 1 is inside. */
  outside(points: readonly ProfilePoint[]): number;
};

export function notePayloads(events: Iterable<PlannedEvent>): Payloads {
  let [least, most] = [Infinity, 0];
  function* noted() {
    for (const event of events) {
      least = Math.min(least, event.bodyBytes);
      most = Math.max(most, event.bodyBytes);
      yield event;
    }
  }
  return {
    events: noted(),
    outside: (points) =>
      least > most ? 1 : Math.max(payloadOutside(points, least), payloadOutside(points, most)),
  };
}
