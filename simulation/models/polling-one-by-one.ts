// Simulates polling one client at a time, by the function that real clients poll by: the brute force that
// groups are held against.

import type { Random } from '../../core/base/random.ts';
import { nextPollDueMs, type PollPace } from '../../core/policy/client/poll-times.ts';
import { topicsOf, type TopicGroupPlan } from '../../core/scenario/topics.ts';
import type { ModelInput, PlannedEvent } from '../model.ts';
import type { Tally } from './tally.ts';

export type Clients = {
  subscribers: number;
  groups: readonly TopicGroupPlan[];
  classes: number;
  beginsUs: number;
  pace: PollPace;
  shiftOf: Float64Array;
  random: Random;
  bytesOf: (event: PlannedEvent) => number;
  answerUs: () => number;
  tally: Tally;
  computed: ModelInput['computed'];
};

export function pollingOneByOne(
  planned: Iterable<PlannedEvent>,
  {
    subscribers,
    groups,
    classes,
    beginsUs,
    pace,
    shiftOf,
    random,
    bytesOf,
    answerUs,
    tally,
    computed,
  }: Clients,
): { full: number; empty: number; deliveries: number } {
  const events = Array.from(planned, (event) => ({
    ...event,
    bytes: bytesOf(event),
    late: answerUs(),
    us: [] as number[],
  }));
  let [full, empty, deliveries] = [0, 0, 0];
  for (let subscriber = 0; subscriber < subscribers; subscriber++) {
    computed?.(subscriber / subscribers);
    const followed = new Set(topicsOf(groups, subscriber));
    const own = events.filter(({ topic }) => followed.has(topic));
    const ofClass = subscriber % classes;
    const members = Math.ceil((subscribers - ofClass) / classes);
    // The first poll is at a random share of the interval, which here is the client's place among its like.
    const share = (Math.floor(subscriber / classes) + shiftOf[ofClass]!) / members;
    let dueMs = nextPollDueMs(undefined, beginsUs / 1000, pace, () => share);
    let next = 0;
    while (dueMs * 1000 < tally.measureUs + pace.every * 3000) {
      const found: number[] = [];
      for (; next < own.length && own[next]!.atUs < dueMs * 1000; next++) found.push(next);
      if (tally.isMeasured(dueMs * 1000)) {
        if (found.length > 0) full++;
        else empty++;
      }
      for (const i of found) {
        const { atUs, late, bytes, us } = own[i]!;
        const latencyUs = dueMs * 1000 - atUs + late;
        us.push(latencyUs);
        if (tally.isMeasured(atUs + latencyUs)) deliveries++;
        tally.deliveredOne(atUs, latencyUs, bytes);
      }
      dueMs = nextPollDueMs(dueMs, dueMs, pace, random);
    }
  }
  for (const { atUs, us } of events) {
    tally.published(atUs, us.length);
    const sorted = us.toSorted((a, b) => a - b);
    const { length } = sorted;
    if (length > 1) tally.receivers(atUs, sorted[0]!, sorted[(length - 1) >> 1]!, sorted[length - 1]!);
  }
  return { full, empty, deliveries };
}
