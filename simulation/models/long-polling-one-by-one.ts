// Simulates long polling one client at a time, by the function that decides in the server: the brute force
// that groups are held against.

import { decideEvent, decideRequest } from '../../core/policy/server/long-poll.ts';
import { topicsOf } from '../../core/scenario/topics.ts';
import type { ModelInput, PlannedEvent } from '../model.ts';
import type { FanOut, FanOuts } from './fan-out.ts';
import { batchUsOf, type Times } from './held-requests.ts';
import type { Answers } from './long-poll-parts.ts';
import type { Prepared } from './prepare.ts';
import type { Tally } from './tally.ts';

type Sized = PlannedEvent & { bytes: number };

type Client = {
  ofClass: number;
  topics: ReadonlySet<number>;
  /** `coming`: its request is on the way, and comes at `atUs`; held: until `atUs`. */
  state: 'coming' | 'held';
  atUs: number;
  heldSinceUs: number;
  /** Which of all batches it began: of those that end at the same moment, earlier ones are answered first. */
  batch: number;
  events: Sized[];
};

export type World = {
  prepared: Prepared;
  tally: Tally;
  fanOuts: FanOuts;
  times: Times;
  answers: Answers;
  answerCpuUs: number;
  rateAt: (atUs: number) => number;
  connectUs: number;
  computed: ModelInput['computed'];
};

export function longPollingOneByOne(events: Iterable<Sized>, world: World): void {
  const { prepared, tally, fanOuts, times, rateAt, connectUs } = world;
  const { subscribers, followers, beginsUs, measureUs, drainUs } = prepared;
  const clients = Array.from({ length: subscribers }, (_, i): Client => {
    const atUs = beginsUs + (i * connectUs) / subscribers;
    const topics = new Set(topicsOf(followers.groups, i));
    return {
      ofClass: i % followers.classes,
      topics,
      state: 'coming',
      atUs,
      heldSinceUs: 0,
      batch: 0,
      events: [],
    };
  });
  let batches = 0;
  for (const event of events) {
    world.computed?.(Math.max(0, event.atUs / measureUs));
    passUntil(clients, event.atUs, world);
    const followed = clients.filter(({ topics }) => topics.has(event.topic));
    tally.published(event.atUs, followed.length);
    const now: Client[] = [];
    for (const client of followed) {
      client.events.push(event);
      if (client.state === 'coming') continue;
      const bytes = client.events.reduce((sum, one) => sum + one.bytes, 0);
      const decision = decideEvent(times.rules, client.events.length, bytes);
      if (decision === 'answer') now.push(client);
      if (decision !== 'begin-batch') continue;
      client.atUs = event.atUs + batchUsOf(times.rules);
      client.batch = ++batches;
    }
    if (now.length === 0) continue;
    now.sort((a, b) => a.ofClass - b.ofClass || a.heldSinceUs - b.heldSinceUs);
    const asked = { atUs: event.atUs, perS: rateAt(event.atUs), payloadBytes: event.bodyBytes };
    const fanOut = fanOuts.of({ ...asked, receivers: now.length });
    if (now.length > 1) tally.receivers(event.atUs, fanOut.firstUs, fanOut.medianUs, fanOut.lastUs);
    answerAll(now, event.atUs, fanOut, world);
  }
  passUntil(clients, measureUs + drainUs, world);
}

/** Takes one step after the other, the earliest first. */
function passUntil(clients: Client[], untilUs: number, world: World): void {
  const { times, fanOuts, rateAt, prepared } = world;
  for (;;) {
    const next = clients.reduce((first, one) =>
      one.atUs < first.atUs || (one.atUs === first.atUs && one.batch < first.batch) ? one : first,
    );
    if (next.atUs > untilUs) return;
    if (next.state === 'coming') {
      arrive(next, world);
    } else if (next.events.length === 0) {
      answerOne(next, next.atUs, world);
    } else {
      const { atUs, ofClass } = next;
      const due = clients.filter(
        (one) => one.state === 'held' && one.atUs === atUs && one.ofClass === ofClass,
      );
      if (due.length === 1) {
        answerOne(next, atUs, world);
        continue;
      }
      due.sort((a, b) => a.heldSinceUs - b.heldSinceUs);
      const payloadBytes = prepared.measured.points[0]!.payloadBytes;
      const fanOut = fanOuts.of({ atUs, perS: rateAt(atUs), payloadBytes, receivers: due.length });
      const less = (us: number) => Math.max(0, us - times.backUs);
      const { firstUs, medianUs, lastUs } = fanOut;
      answerAll(
        due,
        atUs,
        { ...fanOut, firstUs: less(firstUs), medianUs: less(medianUs), lastUs: less(lastUs) },
        world,
      );
    }
  }
}

function arrive(client: Client, world: World): void {
  const { rules } = world.times;
  const bytes = client.events.reduce((sum, one) => sum + one.bytes, 0);
  const found = { events: client.events.length, bytes, isPart: false, isLost: false };
  const decision = decideRequest(rules, undefined, found);
  if (decision === 'answer') return answerOne(client, client.atUs, world);
  client.state = 'held';
  client.heldSinceUs = client.atUs;
  client.atUs += client.events.length > 0 ? batchUsOf(rules) : decision.holdMs * 1000;
}

function answerOne(client: Client, atUs: number, { times, tally, answers, answerCpuUs }: World): void {
  const gotUs = atUs + times.backUs;
  if (client.events.length > 0) answers.full(gotUs, 0, 1);
  else answers.empty(gotUs, 0, 1);
  if (tally.isMeasured(atUs)) tally.workedEvenly(atUs, atUs, answerCpuUs);
  for (const event of client.events) tally.deliveredOne(event.atUs, gotUs - event.atUs, event.bytes);
  client.events = [];
  client.state = 'coming';
  client.atUs = gotUs + times.againUs;
}

function answerAll(clients: Client[], atUs: number, fanOut: FanOut, { tally, answers, times }: World): void {
  const { firstUs, medianUs, lastUs, doneUs } = fanOut;
  const last = clients.length - 1;
  const middle = Math.floor(last / 2);
  for (const [k, client] of clients.entries()) {
    let us = medianUs;
    if (k < middle) us = firstUs + ((medianUs - firstUs) * k) / middle;
    if (k > middle) us = medianUs + ((lastUs - medianUs) * (k - middle)) / (last - middle);
    answers.full(atUs + us, 0, 1);
    for (const event of client.events) tally.deliveredOne(event.atUs, atUs + us - event.atUs, event.bytes);
    const share = last === 0 ? 1 : k / last;
    const endUs = last === 0 ? lastUs : Math.max(lastUs, doneUs);
    client.events = [];
    client.state = 'coming';
    client.atUs = atUs + firstUs + (endUs - firstUs) * share + times.againUs;
  }
}
