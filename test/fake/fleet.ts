// Scripted server, load process and publisher that speak the control protocol in virtual time. The harness
// cannot tell them from real ones.

import { newCounters } from '../../core/result/counters.ts';
import type {
  LoadCommand,
  LoadReport,
  PublisherCommand,
  PublisherReport,
  SelfSample,
  ServerCommand,
  ServerReport,
  Window,
} from '../../core/protocol/control.ts';
import { newHistogram, record, toSparse, type Histogram } from '../../core/result/histogram.ts';
import { close, enter, newLedger } from '../../core/result/ledger.ts';
import { topicsOf, type TopicGroupPlan } from '../../core/scenario/topics.ts';
import { sampleTimesUs } from '../../core/protocol/window.ts';
import type { Fleet } from '../../harness/trial/fleet.ts';
import { createPeer, type Inbox } from '../../harness/process/peer.ts';
import { virtualClock } from './clock.ts';
import { fakeOptions, type FakeOptions } from './pattern.ts';

type Message = { kind: string };

/** What happened to the fake processes, for tests to look at. */
export type FakeFleet = Fleet & { running: Set<string>; frozen: { pid: number; forMs: number }[] };

type Event = { topic: number; seq: number; plannedUs: number };

/** The script of the fake pattern; another pattern's deliveries take 10 ms. What is injected comes on top. */
function scriptOf({ options, injection }: Extract<ServerCommand, { kind: 'start' }>): FakeOptions {
  // The scenario's registry parsed them by the fake's schema.
  const script = 'latencies' in options ? (options as FakeOptions) : fakeOptions.parse({});
  return { ...script, latencies: script.latencies.map((ms) => ms + (injection?.delayMs ?? 0)) };
}

export function fakeFleet(): FakeFleet {
  const clock = virtualClock();
  const running = new Set<string>();
  const frozen: FakeFleet['frozen'] = [];
  const deliver = new Set<(event: Event) => void>();
  let options = fakeOptions.parse({});
  let pids = 1000;
  /** What one side counts the other one does too. */
  let counters = newCounters();

  const sample = (cpuShare = 0.1): SelfSample => ({
    atUs: clock.nowUs(),
    cpuUs: Math.round(clock.nowUs() * cpuShare),
    rssBytes: 50e6,
    heapUsedBytes: 10e6,
    loopDelayP99Us: 100,
    loopDelayMaxUs: 200,
    gcCount: 1,
    gcPauseUs: 1000,
  });

  function peer<C extends Message, R extends Message>(
    name: string,
    handle: (command: C, inbox: Inbox<R>, die: (how: string) => void) => void,
  ) {
    return createPeer<C, R>(name, (inbox) => {
      running.add(name);
      const die = (how: string) => {
        running.delete(name);
        inbox.ended(how);
      };
      return {
        pid: pids++,
        // As over IPC, a command arrives after the sender has gone on.
        send: (command) =>
          queueMicrotask(() =>
            command.kind === 'stop'
              ? die('exit code 0')
              : running.has(name) && handle(command, inbox as Inbox<R>, die),
          ),
        kill: () => die('signal SIGKILL'),
      };
    });
  }

  return {
    clock,
    running,
    frozen,
    freeze: (pid, forMs) => frozen.push({ pid, forMs }),
    probe: {
      countDescriptors: () => 30,
      classifyDescriptors: () => ({ total: 30, sockets: 12 }),
      descriptorLimit: () => 1024,
      kernelSocketBytes: () => 4096,
      networkCount: () => ({
        segments: Math.round(clock.nowUs() / 1e5),
        bytes: Math.round(clock.nowUs() / 1e3),
      }),
    },
    server() {
      counters = newCounters();
      deliver.clear();
      return peer<ServerCommand, ServerReport>('server', (command, inbox, die) => {
        if (command.kind === 'start') {
          options = scriptOf(command);
          inbox.deliver({
            kind: 'listening',
            endpoint: { url: 'http://127.0.0.1:1', over: 'h1', publishUrl: 'http://127.0.0.1:1' },
          });
          if (options.fail === 'server-dies') clock.at(clock.nowUs() + 5e6, () => die('signal SIGKILL'));
        }
        if (command.kind === 'sample')
          inbox.deliver({
            kind: 'sample',
            sample: sample(),
            counters: { ...counters },
            subscribers: 0,
            publishedEvents: 0,
          });
      });
    },
    load: () => fakeLoad(),
    publisher: () => fakePublisher(),
  };

  function fakeLoad() {
    let topics: TopicGroupPlan[] = [];
    let first = 0;
    let count = 0;
    let k = 0;
    let delivered = 0;
    let duplicated = 0;
    let reordered = 0;
    let window: Window | undefined;
    const slots = new Map<string, number>();
    const ledger = newLedger(100_000);
    const accept = newHistogram();
    const fresh = new Map<number, Histogram>();

    const arrive = (slot: number, event: Event) => {
      counters.events++;
      const arrival = enter(ledger, slot, event.seq);
      if (!window || event.plannedUs < window.fromUs) return;
      if (arrival === 'duplicate') duplicated++;
      else delivered++;
      if (arrival === 'late') reordered++;
      const slotOfTime = Math.floor((event.plannedUs - window.fromUs) / window.slotUs);
      const histogram = fresh.get(slotOfTime) ?? newHistogram();
      fresh.set(slotOfTime, histogram);
      record(histogram, clock.nowUs() - event.plannedUs);
      record(accept, clock.nowUs() - event.plannedUs);
    };
    deliver.add((event) => {
      for (let subscriber = first; subscriber < first + count; subscriber++) {
        const slot = slots.get(`${subscriber} ${event.topic}`);
        if (slot === undefined) continue;
        k++;
        if (options.loseEvery > 0 && k % options.loseEvery === 0) continue;
        const atUs = clock.nowUs() + options.latencies[k % options.latencies.length]! * 1000;
        clock.at(atUs, () => arrive(slot, event));
        if (options.repeatEvery > 0 && k % options.repeatEvery === 0)
          clock.at(atUs + 1, () => arrive(slot, event));
      }
    });

    return peer<LoadCommand, LoadReport>('load', (command, inbox) => {
      const report = () => {
        inbox.deliver({
          kind: 'sample',
          sample: sample(options.loadCpu),
          counters: { ...counters },
          connected: count,
          delivered,
          latency: [...fresh].map(([slot, histogram]) => ({ slot, histogram: toSparse(histogram) })),
        });
        fresh.clear();
      };
      if (command.kind === 'start') {
        ({ topics, first, count } = command);
        for (let subscriber = first; subscriber < first + count; subscriber++) {
          for (const topic of topicsOf(topics, subscriber)) slots.set(`${subscriber} ${topic}`, slots.size);
        }
        counters.handshakes += count;
        clock
          .until(clock.nowUs() + command.connectMs * 1000)
          .then(() => inbox.deliver({ kind: 'ready', connectMs: command.connectMs }));
      }
      if (command.kind === 'sample') report();
      if (command.kind === 'window') {
        window = command.window;
        for (const atUs of sampleTimesUs(window)) void clock.until(atUs).then(report);
        if (options.fail === 'load-reports-failure') {
          clock.at(window.fromUs + 1e6, () =>
            inbox.deliver({ kind: 'failed', code: 'EMFILE', message: 'no descriptor is left' }),
          );
        }
      }
      if (command.kind === 'close') {
        const missing: { subscriber: number; topic: number; from: number; to: number }[] = [];
        let expected = 0;
        let found = 0;
        for (const [key, slot] of slots) {
          const [subscriber, topic] = key.split(' ').map(Number) as [number, number];
          const [from, to] = [command.firstSeq[topic]!, command.lastSeq[topic]!];
          const closed = close(ledger, slot, from, to);
          expected += Math.max(0, to - from + 1);
          found += closed.delivered;
          missing.push(...closed.missing.map(([a, b]) => ({ subscriber, topic, from: a, to: b })));
        }
        inbox.deliver({
          kind: 'closed',
          counters: { ...counters },
          acceptToReceipt: toSparse(accept),
          fanout: [],
          problems: [],
          ledger: {
            expected,
            delivered: found,
            missed: expected - found,
            duplicated,
            reordered,
            resumed: 0,
            corrupted: 0,
            unexpected: 0,
            missing,
          },
        });
      }
    });
  }

  function fakePublisher() {
    let plan: Extract<PublisherCommand, { kind: 'start' }>['plan'] | undefined;
    return peer<PublisherCommand, PublisherReport>('publisher', (command, inbox) => {
      if (command.kind === 'start') {
        plan = command.plan;
        inbox.deliver({ kind: 'ready' });
      }
      if (command.kind === 'sample')
        inbox.deliver({ kind: 'sample', sample: sample(), sent: 0, confirmed: 0 });
      if (command.kind === 'window' && plan) {
        const { offsetUs, topic } = plan;
        const { window } = command;
        const seqs = new Map<number, number>();
        const lag = newHistogram();
        let sent = 0;
        const seq = Int32Array.from(offsetUs, (_, i) => {
          const next = (seqs.get(topic[i]!) ?? 0) + 1;
          seqs.set(topic[i]!, next);
          const plannedUs = Math.round(window.warmupFromUs + offsetUs[i]!);
          clock.at(plannedUs + options.lag * 1000, () => {
            sent++;
            if (plannedUs >= window.fromUs) record(lag, options.lag * 1000);
            for (const each of deliver) each({ topic: topic[i]!, seq: next, plannedUs });
          });
          return next;
        });
        for (const atUs of sampleTimesUs(window))
          void clock
            .until(atUs)
            .then(() => inbox.deliver({ kind: 'sample', sample: sample(), sent, confirmed: sent }));
        void clock.until(window.toUs + options.lag * 1000 + 1).then(() =>
          inbox.deliver({
            kind: 'done',
            seq,
            lag: toSparse(lag),
            roundTrip: toSparse(newHistogram()),
            problems: [],
          }),
        );
      }
    });
  }
}
