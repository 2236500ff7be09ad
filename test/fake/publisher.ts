// Plays the publisher: lets each event go at its planned time, or as late as the script says.

import type { PublisherCommand, PublisherReport, Window } from '../../core/protocol/control.ts';
import { sampleTimesUs } from '../../core/protocol/window.ts';
import { newHistogram, record, toSparse } from '../../core/result/histogram.ts';
import type { Inbox } from '../../harness/process/peer.ts';
import type { PublisherPeer } from '../../harness/trial/fleet.ts';
import { sampleNow, scripted, type World } from './world.ts';

type Plan = Extract<PublisherCommand, { kind: 'start' }>['plan'];

export function fakePublisher(world: World): PublisherPeer {
  let plan: Plan | undefined;
  let warmUp: Plan | undefined;
  /** The last number of each topic. */
  const seqs = new Map<number, number>();
  return scripted<PublisherCommand, PublisherReport>(world, 'publisher', (command, inbox) => {
    if (command.kind === 'start') {
      ({ plan, warmUp } = command);
      seqs.clear();
      inbox.deliver({ kind: 'ready' });
    }
    if (command.kind === 'sample')
      inbox.deliver({ kind: 'sample', sample: sampleNow(world), sent: 0, confirmed: 0 });
    if (command.kind === 'burst') {
      const topics = warmUp && world.options.bursts ? warmUp.topic.subarray(command.from, command.to) : [];
      for (const topic of topics)
        for (const each of world.deliver)
          each({ topic, seq: numberOf(seqs, topic), plannedUs: world.clock.nowUs() });
      world.happened.push({
        name: 'publisher',
        what: { kind: 'burst', from: command.from, to: command.to },
        atUs: world.clock.nowUs(),
      });
      inbox.deliver({ kind: 'burst-done', confirmed: topics.length });
    }
    if (command.kind === 'window' && plan) publish(world, plan, seqs, command.window, inbox);
  });
}

function numberOf(seqs: Map<number, number>, topic: number): number {
  const next = (seqs.get(topic) ?? 0) + 1;
  seqs.set(topic, next);
  return next;
}

function publish(
  world: World,
  { offsetUs, topic }: Plan,
  seqs: Map<number, number>,
  window: Window,
  inbox: Inbox<PublisherReport>,
): void {
  const { clock, deliver } = world;
  const lagUs = world.options.lag * 1000;
  const lag = newHistogram();
  let sent = 0;
  const seq = Int32Array.from(offsetUs, (_, i) => {
    const next = numberOf(seqs, topic[i]!);
    const plannedUs = Math.round(window.warmupFromUs + offsetUs[i]!);
    clock.at(plannedUs + lagUs, () => {
      sent++;
      if (plannedUs >= window.fromUs) record(lag, lagUs);
      for (const each of deliver) each({ topic: topic[i]!, seq: next, plannedUs });
    });
    return next;
  });
  for (const atUs of sampleTimesUs(window))
    void clock
      .until(atUs)
      .then(() => inbox.deliver({ kind: 'sample', sample: sampleNow(world), sent, confirmed: sent }));
  void clock.until(window.toUs + lagUs + 1).then(() =>
    inbox.deliver({
      kind: 'done',
      seq,
      lag: toSparse(lag),
      roundTrip: toSparse(newHistogram()),
      problems: [],
    }),
  );
}
