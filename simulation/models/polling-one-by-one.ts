// Simulates polling one client at a time, by the function that real clients poll by: the brute force that
// groups are compared with.

import type { Random } from '../../core/base/random.ts';
import { nextPollDueMs, type PollPace } from '../../core/policy/client/poll-times.ts';
import { topicsOf, type TopicGroupPlan } from '../../core/scenario/topics.ts';
import type { ModelInput, PlannedEvent } from '../model.ts';
import type { Tally } from './tally.ts';

export type Clients = {
  subscribers: number;
  groups: readonly TopicGroupPlan[];
  classes: number;
  serverOf: (subscriber: number) => number;
  beginsUs: number;
  pace: PollPace;
  shiftOf: Float64Array;
  random: Random;
  tally: Tally;
  computed: ModelInput['computed'];
};

export type Placed = PlannedEvent & {
  bytes: number;
  /** At each server: when it is there, and how long after its planned time and the wait it is had. */
  places: readonly ({ atUs: number; lateUs: number } | undefined)[];
};

export function pollingOneByOne(
  planned: readonly Placed[],
  { subscribers, groups, classes, serverOf, beginsUs, pace, shiftOf, random, tally, computed }: Clients,
): { full: number; empty: number; deliveries: number } {
  const events = planned.map((event) => ({ ...event, followers: 0, us: [] as number[] }));
  let [full, empty, deliveries] = [0, 0, 0];
  for (let subscriber = 0; subscriber < subscribers; subscriber++) {
    computed?.(subscriber / subscribers);
    const followed = new Set(topicsOf(groups, subscriber));
    const server = serverOf(subscriber);
    const own = events.flatMap((event) => {
      if (!followed.has(event.topic)) return [];
      event.followers++;
      const place = event.places[server];
      return place ? [{ event, place }] : [];
    });
    const ofClass = subscriber % classes;
    const members = Math.ceil((subscribers - ofClass) / classes);
    // The first poll is at a random share of the interval, which here is the client's place among its like.
    const share = (Math.floor(subscriber / classes) + shiftOf[ofClass]!) / members;
    let dueMs = nextPollDueMs(undefined, beginsUs / 1000, pace, () => share);
    let next = 0;
    while (dueMs * 1000 < tally.measureUs + pace.every * 3000) {
      const found: number[] = [];
      for (; next < own.length && own[next]!.place.atUs < dueMs * 1000; next++) found.push(next);
      if (tally.isMeasured(dueMs * 1000)) {
        if (found.length > 0) full++;
        else empty++;
      }
      for (const i of found) {
        const { event, place } = own[i]!;
        const { atUs, bytes, us } = event;
        const latencyUs = dueMs * 1000 - place.atUs + place.lateUs;
        us.push(latencyUs);
        if (tally.isMeasured(atUs + latencyUs)) deliveries++;
        tally.deliveredOne(atUs, latencyUs, bytes);
      }
      dueMs = nextPollDueMs(dueMs, dueMs, pace, random);
    }
  }
  for (const { atUs, followers, us } of events) {
    tally.published(atUs, followers);
    const sorted = us.toSorted((a, b) => a - b);
    const { length } = sorted;
    if (length > 1) tally.receivers(atUs, sorted[0]!, sorted[(length - 1) >> 1]!, sorted[length - 1]!);
  }
  return { full, empty, deliveries };
}
