// Follows which servers run through a scenario's faults: how many a share of them is, which of them "restart:
// all" starts, and the largest share of the connections that one of them may hold. The harness calls the same
// functions for the real servers.

import { deploySteps, type DeployStep } from '../policy/server/deploy-plan.ts';
import type { Living, Which } from './fault.ts';
import { actsOf, type Fault } from './faults.ts';

/** The servers that a fault is about, in order. @param running by their numbers */
export function chosen(which: Which, running: ReadonlySet<number>, total: number): number[] {
  const all = Array.from({ length: total }, (_, i) => i + 1);
  if (typeof which === 'number') return [which];
  const those = all.filter((one) => running.has(one));
  return which === 'all' ? those : those.slice(0, Math.round(which.share * those.length));
}

/** Servers that have ended when all are to restart. @param begun servers that ran at some time */
function gone(which: Which, running: ReadonlySet<number>, begun: ReadonlySet<number>): number[] {
  return typeof which === 'number' ? [which] : [...begun].filter((one) => !running.has(one));
}

/** Servers of a trial, those included that a fault starts later. */
export function serversIn(count: number, faults: readonly Fault[]): number {
  return Math.max(count, ...faults.map((fault) => mostAfter(fault, count)));
}

function mostAfter(fault: Fault, count: number): number {
  if (fault.kind === 'start') return fault.server;
  return isBlueGreen(fault) ? 2 * count : 0;
}

/** Whether a fault has as many servers as there are from the beginning started beside them. */
export function isBlueGreen(fault: Fault): boolean {
  return fault.kind === 'deploy' && fault.ask.how === 'blue-green';
}

/** Whether a fault ends or begins processes of servers. */
export function endsOrBegins(fault: Fault): boolean {
  return actsOf(fault).some((act) => isLiving(act) || act.do === 'deploy');
}

function isLiving(act: { do: string }): act is Living {
  return ['stop', 'kill', 'restart', 'start'].includes(act.do);
}

export type Followed = {
  /** Why a fault cannot be done, by its place in the list. */
  problems: { index: number; message: string }[];
  /**
   * The largest share of all connections that one server ever holds. When a server loses its connections,
   * they spread evenly over the other running servers. In a rolling deploy, clients that moved to a server
   * which is replaced later move again, so the last server holds more than twice its part.
   */
  most: number;
};

/** @param faults with their places in the scenario's list */
export function followServers(count: number, faults: ReadonlyMap<number, Fault>): Followed {
  const total = serversIn(count, [...faults.values()]);
  const running = new Set(Array.from({ length: count }, (_, i) => i + 1));
  const begun = new Set(running);
  const problems: Followed['problems'] = [];
  const shares = createShares(running);
  for (const [index, fault] of [...faults].toSorted(([, a], [, b]) => a.atMs - b.atMs)) {
    const refuse = (message: string) => void problems.push({ index, message });
    const named = 'server' in fault ? fault.server : drainedIn(fault);
    if (fault.kind !== 'start' && named !== undefined && !running.has(named))
      refuse(named > total ? noSuch(named, count) : `server ${named} does not run then`);
    for (const act of actsOf(fault)) {
      if (act.do === 'deploy') {
        const steps = deploySteps(act.ask, [...running], idle(running, total));
        if ('why' in steps) refuse(steps.why);
        else followDeploy(steps, begun, shares);
        continue;
      }
      if (!isLiving(act)) continue;
      const message =
        act.do === 'stop' || act.do === 'kill'
          ? ending(act.servers, running, begun, count)
          : beginning(act, running, begun, count);
      if (message !== undefined) {
        refuse(message);
        continue;
      }
      if (act.do === 'stop' || act.do === 'kill') shares.end(chosen(act.servers, running, total));
      else {
        const those = gone(act.servers, running, begun);
        for (const one of those) begun.add(one);
        shares.begin(those);
      }
    }
  }
  return { problems, most: shares.most() };
}

/** Follows what each server has of all connections. @param running all of them; it is kept up to date */
function createShares(running: Set<number>) {
  const shares = new Map([...running].map((one) => [one, 1 / running.size]));
  /** The share of connections that wait because no server runs. */
  let waiting = 0;
  let most = Math.max(...shares.values());
  const spread = () => {
    if (running.size === 0 || waiting === 0) return;
    for (const one of running) {
      const share = (shares.get(one) ?? 0) + waiting / running.size;
      shares.set(one, share);
      most = Math.max(most, share);
    }
    waiting = 0;
  };
  return {
    end(servers: readonly number[]): void {
      for (const one of servers) {
        running.delete(one);
        waiting += shares.get(one) ?? 0;
        shares.delete(one);
      }
      spread();
    },
    begin(servers: readonly number[]): void {
      for (const one of servers) running.add(one);
      spread();
    },
    most: () => most,
  };
}

/** The one server that a fault drains. */
function drainedIn(fault: Fault): number | undefined {
  return fault.kind === 'drain' && typeof fault.servers === 'number' ? fault.servers : undefined;
}

/** The servers that do not run, in order. */
function idle(running: ReadonlySet<number>, total: number): number[] {
  return Array.from({ length: total }, (_, i) => i + 1).filter((one) => !running.has(one));
}

function followDeploy(
  steps: readonly DeployStep[],
  begun: Set<number>,
  shares: ReturnType<typeof createShares>,
): void {
  for (const step of steps) {
    if (step.do === 'stop') shares.end(step.servers);
    if (step.do !== 'start') continue;
    for (const one of step.servers) begun.add(one);
    shares.begin(step.servers);
  }
}

function ending(
  which: Which,
  running: ReadonlySet<number>,
  begun: ReadonlySet<number>,
  count: number,
): string | undefined {
  if (typeof which === 'number') {
    if (running.has(which)) return undefined;
    return begun.has(which) ? `server ${which} does not run any more then` : noSuch(which, count);
  }
  if (running.size === 0) return 'no server runs then';
  return chosen(which, running, Math.max(...running)).length === 0
    ? `this share of ${running.size === 1 ? 'one server' : `${running.size} servers`} is less than one; ` +
        'take a larger share'
    : undefined;
}

function beginning(
  act: Living,
  running: ReadonlySet<number>,
  begun: ReadonlySet<number>,
  count: number,
): string | undefined {
  const { do: what, servers } = act;
  if (typeof servers !== 'number')
    return running.size === begun.size ? 'all servers run then, so none starts again' : undefined;
  if (what === 'start') {
    if (servers <= count) return `server ${servers} runs from the beginning; the next is ${count + 1}`;
    if (begun.has(servers)) return `server ${servers} has started before; start it again with restart`;
    return undefined;
  }
  if (running.has(servers)) return `server ${servers} runs then; stop or kill it before`;
  return begun.has(servers) ? undefined : noSuch(servers, count);
}

function noSuch(number: number, count: number): string {
  return `there is no server ${number} then: the scenario has ${count === 1 ? 'one' : count} (servers.count)`;
}
