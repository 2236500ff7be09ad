// Plays a load process: its subscribers get every event after the latency that the script says, lose some and
// get some twice.

import type { LoadCommand, LoadReport, Window } from '../../core/protocol/control.ts';
import { sampleTimesUs } from '../../core/protocol/window.ts';
import { newHistogram, record, toSparse, type Histogram } from '../../core/result/histogram.ts';
import { close, enter, newLedger, type Ledger } from '../../core/result/ledger.ts';
import { followersOf, topicsOf } from '../../core/scenario/topics.ts';
import { createAbsences } from '../../load/account/absences.ts';
import { createReceiptLog } from '../../load/account/receipts.ts';
import { createConnectLog } from '../../load/wire/connect-log.ts';
import type { LoadPeer } from '../../harness/trial/fleet.ts';
import {
  act,
  lateInWindow,
  sampleNow,
  scripted,
  serverOf,
  type PublishedEvent,
  type World,
} from './world.ts';

type Command<K extends LoadCommand['kind']> = Extract<LoadCommand, { kind: K }>;
type Report<K extends LoadReport['kind']> = Extract<LoadReport, { kind: K }>;

/** The subscribers of one load process, and what they have got. */
function subscribersOf(world: World) {
  const { clock, deliver } = world;
  /** Slots of the ledger by subscriber and topic. */
  const slots = new Map<string, number>();
  const ledger = newLedger(100_000);
  const accept = newHistogram();
  const receipts = createReceiptLog(1);
  /** Of each topic. */
  let followers: (topic: number) => number = () => 0;
  const counts = { delivered: 0, duplicated: 0, reordered: 0 };
  /** What no sample has reported yet, by slot of the time series. */
  let fresh = new Map<number, Histogram>();
  let all: number[] = [];
  let k = 0;

  const arrive = (slot: number, subscriber: number, event: PublishedEvent) => {
    const { window } = world;
    const server = serverOf(world, subscriber);
    if (!server) return; // there is none that would have sent it
    world.counters.events++;
    server.events++;
    const arrival = enter(ledger, slot, event.seq);
    if (!window || event.plannedUs < window.fromUs) return;
    if (arrival === 'duplicate') counts.duplicated++;
    else counts.delivered++;
    if (arrival === 'late') counts.reordered++;
    const slotOfTime = Math.floor((event.plannedUs - window.fromUs) / window.slotUs);
    const histogram = fresh.get(slotOfTime) ?? newHistogram();
    fresh.set(slotOfTime, histogram);
    record(histogram, clock.nowUs() - event.plannedUs);
    record(accept, clock.nowUs() - event.plannedUs);
    const most = followers(event.topic);
    if (most > 1 && arrival !== 'duplicate')
      receipts.add(event.topic, event.seq, clock.nowUs() - event.plannedUs, most, 0);
  };
  deliver.add((event) => {
    const { latencies, loseEvery, repeatEvery } = world.options;
    for (const subscriber of all) {
      const slot = slots.get(`${subscriber} ${event.topic}`);
      if (slot === undefined) continue;
      k++;
      if (loseEvery > 0 && k % loseEvery === 0) continue;
      const atUs = clock.nowUs() + latencies[k % latencies.length]! * 1000;
      clock.at(atUs, () => arrive(slot, subscriber, event));
      if (repeatEvery > 0 && k % repeatEvery === 0) clock.at(atUs + 1, () => arrive(slot, subscriber, event));
    }
  });

  return {
    connect({ topics, first, count, subscribers }: Command<'start'>) {
      followers = (topic) => followersOf(topics, topic, subscribers);
      all = Array.from({ length: count }, (_, i) => first + i);
      for (const subscriber of all)
        for (const topic of topicsOf(topics, subscriber)) slots.set(`${subscriber} ${topic}`, slots.size);
      for (const subscriber of all) {
        world.counters.handshakes++;
        const server = serverOf(world, subscriber);
        if (server) server.handshakes++;
      }
    },
    sample(): Report<'sample'> {
      const latency = [...fresh].map(([slot, histogram]) => ({ slot, histogram: toSparse(histogram) }));
      fresh = new Map();
      return {
        kind: 'sample',
        sample: sampleNow(world, world.options.loadCpu),
        counters: { ...world.counters },
        connected: all.length,
        coming: 0,
        delivered: counts.delivered,
        latency,
      };
    },
    close({ firstSeq, lastSeq }: Command<'close'>): Report<'closed'> {
      const { duplicated, reordered } = counts;
      return {
        kind: 'closed',
        counters: { ...world.counters },
        acceptToReceipt: toSparse(accept),
        ...receipts.take(),
        problems: [],
        ...awayOf(world),
        ledger: { ...closedLedger(slots, ledger, firstSeq, lastSeq), duplicated, reordered },
      };
    },
  };
}

/** What the account says of subscribers that were cut off as scripted; a delivery of each is lost by that. */
function awayOf({ window, options: { cutOff } }: World): Pick<Report<'closed'>, 'recovery'> {
  if (cutOff === 0 || !window) return {};
  const absences = createAbsences(cutOff, 0, new Int32Array());
  const connects = createConnectLog();
  for (const one of [absences, connects]) one.countFrom(window.fromUs);
  for (let i = 0; i < cutOff; i++) {
    const lostUs = window.fromUs + 1e6;
    const backUs = lostUs + (i + 1) * 10_000;
    absences.ready(i, window.fromUs, false);
    absences.lost(i, lostUs, 'cut');
    connects.log.opened(backUs);
    absences.ready(i, backUs, true);
    if (i % 10 === 9) absences.reset(i);
  }
  absences.closing(window.toUs);
  return { recovery: { ...absences.close(), missedAway: cutOff, connects: connects.close() } };
}

/** What each subscriber should have got of each of its topics, held against what it got. */
function closedLedger(
  slots: ReadonlyMap<string, number>,
  ledger: Ledger,
  firstSeq: Int32Array,
  lastSeq: Int32Array,
) {
  const closed = [...slots].map(([key, slot]) => {
    const [subscriber, topic] = key.split(' ').map(Number) as [number, number]; // as `connect` wrote it
    const [from, to] = [firstSeq[topic]!, lastSeq[topic]!];
    return { subscriber, topic, expected: Math.max(0, to - from + 1), ...close(ledger, slot, from, to) };
  });
  const expected = closed.reduce((sum, one) => sum + one.expected, 0);
  const found = closed.reduce((sum, one) => sum + one.delivered, 0);
  return {
    expected,
    delivered: found,
    missed: expected - found,
    resumed: 0,
    corrupted: 0,
    unexpected: 0,
    missing: closed.flatMap(({ subscriber, topic, missing }) =>
      missing.map(([from, to]) => ({ subscriber, topic, from, to })),
    ),
  };
}

export function fakeLoad(world: World, name: string): LoadPeer {
  const { clock } = world;
  const subscribers = subscribersOf(world);
  return scripted<LoadCommand, LoadReport>(world, name, (command, inbox) => {
    const report = () =>
      lateInWindow(world, world.options.loadSamplesLate, () => inbox.deliver(subscribers.sample()));
    const begin = (window: Window) => {
      world.window = window;
      for (const atUs of sampleTimesUs(window)) void clock.until(atUs).then(report);
      if (world.options.fail === 'load-reports-failure') {
        clock.at(window.fromUs + 1e6, () =>
          inbox.deliver({ kind: 'failed', code: 'EMFILE', message: 'no descriptor is left' }),
        );
      }
    };
    switch (command.kind) {
      case 'start':
        subscribers.connect(command);
        void clock
          .until(clock.nowUs() + command.connectMs * 1000)
          .then(() => inbox.deliver({ kind: 'ready', connectMs: command.connectMs }));
        return;
      case 'sample':
        return report();
      case 'window':
        return begin(command.window);
      case 'leave':
      case 'slow':
        return act(world, name, command, inbox);
      case 'close':
        return inbox.deliver(subscribers.close(command));
    }
  });
}
