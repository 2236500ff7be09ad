// Plays the publisher: lets each event go at its planned time, or as late as the script says.

import type { PublisherCommand, PublisherReport, Window } from '../../core/protocol/control.ts';
import { sampleTimesUs } from '../../core/protocol/window.ts';
import { newCounters } from '../../core/result/counters.ts';
import { newHistogram, record, toSparse } from '../../core/result/histogram.ts';
import type { Inbox } from '../../harness/process/peer.ts';
import type { PublisherPeer } from '../../harness/trial/fleet.ts';
import { sampleNow, scripted, type World } from './world.ts';

/** It counts nothing of the wire, on which there is nothing. */
const counters = newCounters();

type Plan = Extract<PublisherCommand, { kind: 'start' }>['plan'];

export function fakePublisher(world: World): PublisherPeer {
  let plan: Plan | undefined;
  return scripted<PublisherCommand, PublisherReport>(world, 'publisher', (command, inbox) => {
    if (command.kind === 'start') {
      plan = command.plan;
      inbox.deliver({ kind: 'ready' });
    }
    if (command.kind === 'sample')
      inbox.deliver({ kind: 'sample', sample: sampleNow(world), sent: 0, confirmed: 0, counters });
    if (command.kind === 'window' && plan) publish(world, plan, command.window, inbox);
  });
}

function publish(
  world: World,
  { offsetUs, topic }: Plan,
  window: Window,
  inbox: Inbox<PublisherReport>,
): void {
  const { clock, deliver } = world;
  const lagUs = world.options.lag * 1000;
  const seqs = new Map<number, number>();
  const lag = newHistogram();
  let sent = 0;
  const seq = Int32Array.from(offsetUs, (_, i) => {
    const next = (seqs.get(topic[i]!) ?? 0) + 1;
    seqs.set(topic[i]!, next);
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
      .then(() =>
        inbox.deliver({ kind: 'sample', sample: sampleNow(world), sent, confirmed: sent, counters }),
      );
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
