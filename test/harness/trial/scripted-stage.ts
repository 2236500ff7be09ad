// Puts scripted processes on the stage of a trial, in virtual time: each answers as a test says, or else as
// one in which nothing goes wrong. What each was told, and when, is kept.

import type { Variant } from '../../../core/pattern/variant.ts';
import type {
  LoadCommand,
  LoadReport,
  PublisherCommand,
  PublisherReport,
  ServerCommand,
  ServerReport,
} from '../../../core/protocol/control.ts';
import { newCounters } from '../../../core/result/counters.ts';
import type { TrialPlan } from '../../../harness/plan/plan.ts';
import { createBeside } from '../../../harness/cluster/beside.ts';
import { createMember } from '../../../harness/cluster/member.ts';
import type { Inbox } from '../../../harness/process/peer.ts';
import type { Fleet } from '../../../harness/trial/fleet.ts';
import type { Progress, Stage } from '../../../harness/trial/stage.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { sampleNow, scripted, type World } from '../../fake/world.ts';
import { closedBy, sparse, streams } from './readings.ts';

type Message = { kind: string };
/** What a process does when it is told something. @param index of the process among those of its role */
type Answers<C extends Message, R> = {
  [K in C['kind']]?: (command: Extract<C, { kind: K }>, inbox: Inbox<R>, index: number) => void;
};
export type Scripts = {
  server?: Answers<ServerCommand, ServerReport>;
  load?: Answers<LoadCommand, LoadReport>;
  publisher?: Answers<PublisherCommand, PublisherReport>;
};
export type Told = { name: string; command: ServerCommand | LoadCommand | PublisherCommand; atUs: number };

export type ScriptedStage = {
  stage: Stage;
  world: World;
  told: Told[];
  progress: Progress[];
  /** Runs at that moment, and those it wakes act before time goes on. The clock's `at` wakes nobody. */
  later(atUs: number, run: () => void): void;
  /** The first command of that kind that the process was told. */
  first(name: string, kind: Told['command']['kind']): Told;
  /** Which of these kinds of commands went to which process, in order. */
  order(...kinds: Told['command']['kind'][]): string[];
};

/** What a scripted load process says of itself. */
export function loadSample(world: World, connected: number, delivered = 0, coming = 0): LoadReport {
  const sample = sampleNow(world);
  return { kind: 'sample', sample, counters: newCounters(), connected, coming, delivered, latency: [] };
}

/** What a scripted server says of itself. */
export function serverSample(
  world: World,
  more: Partial<Extract<ServerReport, { kind: 'sample' }>> = {},
): ServerReport {
  const sample = sampleNow(world);
  return { kind: 'sample', sample, counters: newCounters(), subscribers: 0, publishedEvents: 0, ...more };
}

/** The report of a publisher whose events of one topic were numbered as they are planned. */
export function doneWith(
  { publish }: TrialPlan,
  seq = Int32Array.from(publish.topic, (_, i) => i + 1),
): Extract<PublisherReport, { kind: 'done' }> {
  return { kind: 'done', seq, lag: sparse([100, 1]), roundTrip: sparse([900, 1]), problems: [] };
}

/** @param scripts what processes answer where it is not the usual */
export function stageOf(
  plan: TrialPlan,
  scripts: Scripts = {},
  { variant = streams, servers = 1, probe = {} }: StageOptions = {},
): ScriptedStage {
  const fleet = fakeFleet();
  const { world } = fleet;
  const { clock } = world;
  const later = (atUs: number, run: () => void) => void clock.until(atUs).then(run);
  const told: Told[] = [];
  const progress: Progress[] = [];
  const usual: Required<Scripts> = {
    server: {
      start: (_, inbox) =>
        inbox.deliver({
          kind: 'listening',
          endpoint: { url: 'http://127.0.0.1:1', over: 'h1', publishUrl: 'http://127.0.0.1:2' },
        }),
      sample: (_, inbox) => inbox.deliver(serverSample(world)),
    },
    load: {
      start: ({ connectMs }, inbox) =>
        later(clock.nowUs() + connectMs * 1000, () => inbox.deliver({ kind: 'ready', connectMs })),
      sample: (_, inbox, index) => inbox.deliver(loadSample(world, plan.loads[index]!.count)),
      close: (_, inbox) => inbox.deliver(closedBy()),
    },
    publisher: {
      start: (_, inbox) => inbox.deliver({ kind: 'ready' }),
      sample: (_, inbox) =>
        inbox.deliver({
          kind: 'sample',
          sample: sampleNow(world),
          sent: 0,
          confirmed: 0,
          counters: newCounters(),
        }),
      window: ({ window }, inbox) => later(window.toUs, () => inbox.deliver(doneWith(plan))),
    },
  };
  const peerOf = <C extends Told['command'], R extends Message>(
    name: string,
    index: number,
    answers: Answers<C, R>,
  ) =>
    scripted<C, R>(world, name, (command, inbox) => {
      told.push({ name, command, atUs: clock.nowUs() });
      // The answer to a kind of command takes that kind.
      const answer = answers[command.kind as C['kind']] as
        | ((command: C, inbox: Inbox<R>, index: number) => void)
        | undefined;
      answer?.(command, inbox, index);
    });
  const own: Required<Scripts> = {
    server: { ...usual.server, ...scripts.server },
    load: { ...usual.load, ...scripts.load },
    publisher: { ...usual.publisher, ...scripts.publisher },
  };
  const [first, ...others] = Array.from({ length: servers }, (_, i) =>
    createMember(
      i + 1,
      () => peerOf<ServerCommand, ServerReport>(`server ${i + 1}`, i, own.server),
      () => clock.nowUs(),
    ),
  );
  const stage: Stage = {
    plan,
    variant,
    fleet: { ...fleet, probe: { ...fleet.probe, ...probe } },
    peers: {
      servers: [first!, ...others], // there is one at least
      loads: plan.loads.map((_, i) => peerOf<LoadCommand, LoadReport>(`load ${i + 1}`, i, own.load)),
      publisher: peerOf<PublisherCommand, PublisherReport>('publisher', 0, own.publisher),
    },
    beside: createBeside(),
    broker: undefined,
    report: (one) => progress.push(one),
    over: new AbortController().signal,
  };
  return {
    stage,
    world,
    told,
    progress,
    later,
    first: (name, kind) => told.find((one) => one.name === name && one.command.kind === kind)!,
    order: (...kinds) =>
      told
        .filter(({ command }) => kinds.includes(command.kind))
        .map(({ name, command }) => `${name} ${command.kind}`),
  };
}

type StageOptions = { variant?: Variant; servers?: number; probe?: Partial<Fleet['probe']> };
