// Makes the faults of a scenario happen at their planned times: connections are cut, clients leave, servers
// end, begin, stand still, refuse, or let their clients go, and are replaced in the steps of
// core/policy/server/deploy-plan.ts, as harness/trial/acts.ts does with processes.

import { drawShare } from '../../core/base/random.ts';
import type { Which } from '../../core/fault/fault.ts';
import { actsOf, didOf, lengthOf, type Fault, type FaultAct } from '../../core/fault/faults.ts';
import { chosen } from '../../core/fault/standing.ts';
import { deploySteps, type DeployStep } from '../../core/policy/server/deploy-plan.ts';
import { drainTimesMs, drawAdviceMs, type DrainPlan } from '../../core/policy/server/drain.ts';
import type { TrialFault } from '../../core/result/trial-fault.ts';
import type { Phases } from '../../core/scenario/scenario.ts';
import { comeBack, cut, leave } from './connecting.ts';
import { begin, close, dropAll, freeze, kill } from './lives.ts';
import type { ServerState } from './server-state.ts';
import { states, type World } from './world.ts';

export type Playing = {
  /** Whether all that were due are done. */
  settled(): boolean;
  /** @param closeUs when the subscribers are closed */
  finish(closeUs: number): TrialFault[];
};

type Record = TrialFault & { begunUs?: number; doneUs?: number; takesTime?: true };

/** Puts all faults on the timeline. */
export function playFaults(world: World, faults: readonly Fault[], phases: Phases): Playing {
  const inOrder = faults.toSorted((a, b) => a.atMs - b.atMs);
  const records = inOrder.map((fault): Record => {
    const length = lengthOf(fault);
    const lastMs = phases.measure + phases.drain - fault.atMs;
    const forMs = length && { forMs: Math.min(length.ms, lastMs) };
    return { kind: fault.kind, did: didOf(fault), atMs: fault.atMs, atUs: null, ...forMs };
  });
  for (const [i, fault] of inOrder.entries())
    world.time.later(fault.atMs * 1000, () => happen(world, fault, records[i]!));
  return {
    settled: () => records.every(({ takesTime, doneUs }) => !takesTime || doneUs !== undefined),
    finish: (closeUs) =>
      records.map(({ begunUs, doneUs, takesTime, ...fault }) => ({
        ...fault,
        ...(begunUs !== undefined &&
          takesTime && {
            tookUs: (doneUs ?? closeUs) - begunUs,
            ...(doneUs === undefined && { unfinished: true as const }),
          }),
      })),
  };
}

function happen(world: World, fault: Fault, record: Record): void {
  const { time } = world;
  for (const act of actsOf(fault)) {
    const acted = perform(world, act, record, () => void (record.doneUs = time.nowUs()));
    if (acted === 'impossible') return;
    record.atUs = record.begunUs = time.nowUs();
    if (acted === 'takes time') record.takesTime = true;
  }
}

/** @param done called when a fault that takes time is over */
function perform(
  world: World,
  act: FaultAct,
  record: Record,
  done: () => void,
): 'done' | 'takes time' | 'impossible' {
  const all = world.servers.filter(({ running }) => running);
  switch (act.do) {
    case 'tell': {
      if (act.role === 'load') return tellClients(world, act.command);
      if (act.role !== 'server') return 'impossible';
      const those = act.server === undefined ? all : all.filter(({ place }) => place === act.server! - 1);
      if (those.length === 0) return 'impossible';
      for (const server of those) tellServer(world, server, act.command, record);
      return 'done';
    }
    case 'freeze':
      for (const server of all) freeze(world, server, act.forMs);
      return all.length > 0 ? 'done' : 'impossible';
    case 'stop':
      return untilAll(whichOf(world, act.servers), (server, ended) => close(world, server, ended), done);
    case 'kill': {
      const those = whichOf(world, act.servers);
      for (const server of those) kill(world, server);
      return those.length > 0 ? 'done' : 'impossible';
    }
    case 'restart':
    case 'start': {
      const gone = world.servers.filter(({ place, running, begun }) =>
        act.servers === 'all' ? begun && !running : place === Number(act.servers) - 1,
      );
      if (gone.some(({ running }) => running)) return 'impossible';
      return untilAll(gone, (server, begun) => begin(world, server, begun), done);
    }
    case 'deploy': {
      const numbers = (running: boolean) =>
        world.servers.filter((one) => one.running === running).map(({ place }) => place + 1);
      const steps = deploySteps(act.ask, numbers(true), numbers(false));
      if ('why' in steps) return 'impossible';
      take(world, steps, record, done);
      return 'takes time';
    }
    default:
      return 'impossible';
  }
}

function whichOf({ servers }: World, which: Which): ServerState[] {
  const running = new Set(servers.filter((one) => one.running).map(({ place }) => place + 1));
  const those = chosen(which, running, servers.length).map((number) => servers[number - 1]!);
  return those.every((one) => one.running) ? those : [];
}

/** Does something to all of them at once; it is over when the last is done. */
function untilAll(
  servers: readonly ServerState[],
  each: (server: ServerState, done: () => void) => void,
  done: () => void,
): 'takes time' | 'impossible' {
  let left = servers.length;
  if (left === 0) return 'impossible';
  for (const server of servers)
    each(server, () => {
      left--;
      if (left === 0) done();
    });
  return 'takes time';
}

/** One step after the other. */
function take(world: World, [step, ...rest]: readonly DeployStep[], record: Record, done: () => void): void {
  if (!step) return done();
  const next = () => take(world, rest, record, done);
  if (step.do === 'pause') return world.time.later(world.time.nowUs() + step.ms * 1000, next);
  // Nothing stands in front that could give connections elsewhere.
  if (step.do === 'divert' || step.do === 'admit') return next();
  const servers = step.servers.map((number) => world.servers[number - 1]!);
  untilAll(
    servers,
    (server, over) => {
      if (step.do === 'drain') drain(world, server, step.plan, record, over);
      else if (step.do === 'stop') close(world, server, over);
      else begin(world, server, over);
    },
    next,
  );
}

type ServerCommand = Extract<FaultAct, { do: 'tell'; role: 'server' }>['command'];
type LoadCommand = Extract<FaultAct, { do: 'tell'; role: 'load' }>['command'];

function tellServer(world: World, server: ServerState, command: ServerCommand, record: Record): void {
  const { lists, random, time } = world;
  if (command.kind === 'drain') return drain(world, server, command, record, () => {});
  if (command.kind === 'disconnect') {
    const members: number[] = [];
    lists.each(server.members, (client) => void members.push(client));
    for (const client of drawShare(members, command.share, random.faults)) cut(world, client);
    return;
  }
  const isDown = command.mode === 'dependency-down';
  const { life } = server; // the next process knows nothing of it
  const refusal = ++server.refusals; // a later one has an end of its own, as in servers/process.ts
  server.hangsUp = command.mode === 'accept-then-close';
  server.down = isDown;
  if (isDown) dropAll(world, server);
  if (command.forMs === undefined) return;
  time.later(time.nowUs() + command.forMs * 1000, () => {
    if (server.life === life && server.refusals === refusal) server.hangsUp = server.down = false;
  });
}

function tellClients(world: World, command: LoadCommand): 'done' | 'impossible' {
  if (command.kind !== 'leave') return 'impossible';
  const { clients, time, random } = world;
  const there = Array.from({ length: clients.count }, (_, i) => i).filter((i) => clients.hasLeft[i] === 0);
  const leaving = Uint32Array.from(drawShare(there, command.share, random.faults));
  for (const client of leaving) leave(world, client);
  time.later(time.nowUs() + command.forMs * 1000, () => {
    for (const client of leaving) comeBack(world, client);
  });
  return 'done';
}

/** Those there are told one after the other, in the order in which they came. */
function drain(world: World, server: ServerState, plan: DrainPlan, record: Record, gone: () => void): void {
  const { lists, time, clients, on } = world;
  const count = lists.size(server.members);
  const times = drainTimesMs(plan, count);
  const nowUs = time.nowUs();
  server.draining = plan;
  const over = () => {
    const { servers = 0, told = 0, left = 0, closedAtLimit = 0 } = record.letGo ?? {};
    record.letGo = { servers: servers + 1, told: told + count, left: left + count, closedAtLimit };
    gone();
  };
  if (count === 0) return over();
  server.emptied = over;
  let i = 0;
  lists.each(server.members, (client) => {
    clients.dueUs[client] = nowUs + Math.ceil(times[i++]!) * 1000; // one timer tells all that are due
    time.at(clients.dueUs[client]!, on.told, client);
  });
}

/** A client of a server that is drained is told to go. */
export function told(world: World, client: number): void {
  const { clients, servers, comebacks, rules, random, time } = world;
  const { draining } = servers[clients.server[client]!]!;
  if (clients.state[client] !== states.here || clients.dueUs[client] !== time.nowUs() || !draining) return;
  rules.letGo(comebacks.of(client), drawAdviceMs(draining, random.advice));
  comebacks.keep(client);
  cut(world, client);
}
