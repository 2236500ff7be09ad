// Simulates long polling one client at a time, by the function that decides in the server: the brute force
// that groups are compared with.

import { decideEvent, decideRequest } from '../../core/policy/server/long-poll.ts';
import { topicsOf } from '../../core/scenario/topics.ts';
import type { PlannedEvent } from '../model.ts';
import type { FanOut } from './fan-out.ts';
import { batchUsOf } from './held-requests.ts';
import { answerTogether, type Computed, type Parts } from './long-poll-parts.ts';
import { noteReceivers } from './server-fan-outs.ts';

type Sized = PlannedEvent & { bytes: number };

type Client = {
  ofClass: number;
  server: number;
  topics: ReadonlySet<number>;
  /** `coming`: its request is on the way, and comes at `atUs`; held: until `atUs`. */
  state: 'coming' | 'held';
  atUs: number;
  heldSinceUs: number;
  /** Its number among all batches: if several end at the same moment, earlier ones are answered first. */
  batch: number;
  events: Sized[];
};

export function longPollingOneByOne(events: Iterable<Sized>, parts: Parts): Computed {
  const { prepared, cluster, tally, fanOuts, times, connectUs } = parts;
  const { subscribers, followers, beginsUs, measureUs, drainUs } = prepared;
  const clients = Array.from({ length: subscribers }, (_, i): Client => {
    const atUs = beginsUs + (i * connectUs) / subscribers;
    const topics = new Set(topicsOf(followers.groups, i));
    return {
      ofClass: i % followers.classes,
      server: cluster.serverOf(i),
      topics,
      state: 'coming',
      atUs,
      heldSinceUs: 0,
      batch: 0,
      events: [],
    };
  });
  const ofServer = Array.from({ length: cluster.count }, (_, server) =>
    clients.filter((one) => one.server === server),
  );
  let batches = 0;
  for (const event of events) {
    parts.computed?.(Math.max(0, event.atUs / measureUs));
    const arrivals = cluster.arrivals.of(event);
    for (const { server, atUs } of arrivals) passUntil(ofServer[server]!, atUs, parts);
    const followed = clients.filter(({ topics }) => topics.has(event.topic));
    tally.published(event.atUs, followed.length);
    const now: Client[] = [];
    for (const client of followed) {
      const arrival = arrivals.find(({ server }) => server === client.server);
      if (!arrival) continue;
      client.events.push(event);
      if (client.state === 'coming') continue;
      const bytes = client.events.reduce((sum, one) => sum + one.bytes, 0);
      const decision = decideEvent(times.rules, client.events.length, bytes);
      if (decision === 'answer') now.push(client);
      if (decision !== 'begin-batch') continue;
      client.atUs = arrival.atUs + batchUsOf(times.rules);
      client.batch = ++batches;
    }
    now.sort((a, b) => a.ofClass - b.ofClass || a.heldSinceUs - b.heldSinceUs);
    const nowAt = ofServer.map((_, server) => now.filter((one) => one.server === server));
    const answering = arrivals.filter(({ server }) => nowAt[server]!.length > 0);
    const { atUs, bodyBytes } = event;
    const those = fanOuts.of(answering, { atUs, bodyBytes, receivers: nowAt.map(({ length }) => length) });
    noteReceivers(tally, atUs, those);
    fanOuts.takenOnly(arrivals.filter((one) => !answering.includes(one)));
    for (const [i, { server }] of answering.entries()) answerAll(nowAt[server]!, atUs, those[i]!, parts);
  }
  for (const own of ofServer) passUntil(own, measureUs + drainUs, parts);
  return { untilUs: measureUs, part: 'whole', onTheWay: 0 };
}

/** Takes one step after the other, the earliest first. */
function passUntil(clients: Client[], untilUs: number, parts: Parts): void {
  if (clients.length === 0) return;
  for (;;) {
    const next = clients.reduce((first, one) =>
      one.atUs < first.atUs || (one.atUs === first.atUs && one.batch < first.batch) ? one : first,
    );
    if (next.atUs > untilUs) return;
    if (next.state === 'coming') {
      arrive(next, parts);
    } else if (next.events.length === 0) {
      answerOne(next, next.atUs, parts);
    } else {
      const { atUs, ofClass, server } = next;
      const due = clients.filter(
        (one) => one.state === 'held' && one.atUs === atUs && one.ofClass === ofClass,
      );
      if (due.length === 1) {
        answerOne(next, atUs, parts);
        continue;
      }
      due.sort((a, b) => a.heldSinceUs - b.heldSinceUs);
      answerAll(due, atUs, answerTogether(parts, server, { atUs, count: due.length }), parts);
    }
  }
}

function arrive(client: Client, parts: Parts): void {
  const { rules } = parts.times;
  const bytes = client.events.reduce((sum, one) => sum + one.bytes, 0);
  const found = { events: client.events.length, bytes, isPart: false, isLost: false };
  const decision = decideRequest(rules, undefined, found);
  if (decision === 'answer') return answerOne(client, client.atUs, parts);
  client.state = 'held';
  client.heldSinceUs = client.atUs;
  client.atUs += client.events.length > 0 ? batchUsOf(rules) : decision.holdMs * 1000;
}

function answerOne(
  client: Client,
  atUs: number,
  { times, tally, answers, answerCpuUs, cluster }: Parts,
): void {
  const gotUs = atUs + times.backUs;
  if (client.events.length > 0) answers.full(gotUs, 0, 1);
  else answers.empty(gotUs, 0, 1);
  if (tally.isMeasured(atUs)) {
    tally.works[client.server]!.workedEvenly(atUs, atUs, answerCpuUs);
    cluster.front?.passed(atUs, 1);
  }
  for (const event of client.events) tally.deliveredOne(event.atUs, gotUs - event.atUs, event.bytes);
  client.events = [];
  client.state = 'coming';
  client.atUs = gotUs + times.againUs;
}

function answerAll(clients: Client[], atUs: number, fanOut: FanOut, { tally, answers, times }: Parts): void {
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
