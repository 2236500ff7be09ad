// Does what a fault asks for: tells processes, stops them for a while, ends them, starts them again. Each
// kind of act is a function over time: it says when it has begun, and then goes on by itself until it is done
// or the trial is over.

import type { FaultAct } from '../../core/fault/faults.ts';
import type { FrontAction } from '../../core/fault/front-faults.ts';
import type { Role, Which } from '../../core/fault/fault.ts';
import { chosen } from '../../core/fault/standing.ts';
import { beginDeploy } from '../cluster/deploy.ts';
import type { BesideProcess } from '../cluster/beside.ts';
import type { FrontProcess } from '../cluster/in-front.ts';
import type { Member } from '../cluster/member.ts';
import type { Stage } from './stage.ts';

/** Where an act takes place. @property act the number that processes say it by */
export type Scene = { stage: Stage; act: number };

/**
 * It has begun everywhere, at this moment.
 * @property rest what takes its time; why it could not be done, or undefined
 */
export type Begun = { atUs: number; rest?: Promise<string | undefined> };

type Performers = {
  /** @returns undefined where it could not be begun */
  [K in FaultAct['do']]: (what: Extract<FaultAct, { do: K }>, scene: Scene) => Promise<Begun | undefined>;
};

const performers: Performers = {
  async tell(what, { stage, act }) {
    const { servers, loads, network } = stage.peers;
    if (what.role === 'network') {
      if (!network) return undefined;
      network.send({ ...what.command, act });
    } else if (what.role === 'load') {
      for (const load of loads) load.send({ ...what.command, act });
    } else {
      const those =
        what.server === undefined ? running(servers) : servers.slice(what.server - 1, what.server);
      if (those.length === 0 || !those.every((one) => one.running)) return undefined;
      for (const server of those) server.send({ ...what.command, act });
    }
    return { atUs: stage.fleet.clock.nowUs() };
  },

  async freeze({ role, forMs, server }, { stage: { fleet, peers, over } }) {
    const pids = pidsOf(peers, role, server);
    const stopped = await Promise.all(pids.map((pid) => fleet.freeze(pid, forMs, over)));
    return pids.length > 0 && stopped.every(Boolean) ? { atUs: fleet.clock.nowUs() } : undefined;
  },

  async stop({ servers }, { stage }) {
    const atUs = stage.fleet.clock.nowUs();
    const those = whichOf(stage, servers);
    if (!those) return undefined;
    return { atUs, rest: allDone(those, (one) => one.halt(), 'did not run') };
  },

  async kill({ servers }, { stage }) {
    const those = whichOf(stage, servers);
    if (!those?.map((one) => one.killNow()).every(Boolean)) return undefined;
    return { atUs: stage.fleet.clock.nowUs() };
  },

  async restart({ servers }, { stage }) {
    const all = stage.peers.servers;
    const those =
      typeof servers === 'number'
        ? all.slice(servers - 1, servers)
        : all.filter((one) => one.pid > 0 && !one.running);
    return beginning(stage, those);
  },

  async start({ servers }, { stage }) {
    const those = typeof servers === 'number' ? stage.peers.servers.slice(servers - 1, servers) : [];
    return beginning(stage, those);
  },

  async deploy({ ask }, { stage: { fleet, peers, beside, over }, act }) {
    const { clock } = fleet;
    const atUs = clock.nowUs();
    const front = beside.all.find(isFront);
    const rest = beginDeploy(ask, { clock, servers: peers.servers, front, over, act });
    return rest && { atUs, rest };
  },

  async 'in-front'({ how, server }, { stage: { beside, fleet } }) {
    const front = beside.all.find(isFront);
    if (!front) return undefined;
    const done = async () => {
      await doneTo[how](front, server ?? 0);
      return undefined;
    };
    return { atUs: fleet.clock.nowUs(), rest: done() };
  },

  async broker({ how, forMs }, { stage: { broker, fleet, over } }) {
    if (broker?.pid === undefined) return undefined;
    const { clock } = fleet;
    if (how === 'freeze') {
      const stopped = await fleet.freeze(broker.pid, forMs ?? 0, over);
      return stopped ? { atUs: clock.nowUs() } : undefined;
    }
    const atUs = clock.nowUs();
    const gone = broker.end(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    if (forMs === undefined) return { atUs };
    const back = async () => {
      await gone;
      await clock.until(atUs + forMs * 1000, over);
      await broker.start();
      return undefined;
    };
    return { atUs, rest: back() };
  },
};

/** What HAProxy is told, by the word of the scenario. */
const doneTo: Record<FrontAction, (front: FrontProcess, server: number) => Promise<void>> = {
  drain: (front, server) => front.drain(server),
  ready: (front, server) => front.ready(server),
  shutdown: (front, server) => front.shutDown(server),
  reload: (front) => front.reload(),
};

function isFront(process: BesideProcess): process is FrontProcess {
  return process.role === 'in-front'; // there is one kind of it
}

/** Begins an act. */
export function perform(what: FaultAct, scene: Scene): Promise<Begun | undefined> {
  // Each performer takes acts of its own kind alone, and is given this one by its kind.
  const performer = performers[what.do] as (one: FaultAct, at: Scene) => Promise<Begun | undefined>;
  return performer(what, scene);
}

function running(servers: readonly Member[]): Member[] {
  return servers.filter((one) => one.running);
}

/** Those that are to go; undefined where one of them does not run, or there is none. */
function whichOf({ peers: { servers } }: Stage, which: Which): Member[] | undefined {
  const numbers = new Set(running(servers).map(({ number }) => number));
  const those = chosen(which, numbers, servers.length).map((number) => servers[number - 1]);
  return those.length > 0 && those.every((one) => one?.running)
    ? those.filter((one) => one !== undefined)
    : undefined;
}

function beginning({ fleet }: Stage, those: readonly Member[]): Begun | undefined {
  if (those.length === 0 || those.some((one) => one.running)) return undefined;
  return { atUs: fleet.clock.nowUs(), rest: allDone(those, (one) => one.begin(), 'did not come up') };
}

/** @returns of the first that could not */
async function allDone(
  those: readonly Member[],
  each: (one: Member) => Promise<boolean>,
  whyNot: string,
): Promise<string | undefined> {
  const done = await Promise.all(those.map(each));
  const failed = those[done.indexOf(false)];
  return failed && `server ${failed.number} ${whyNot}`;
}

function pidsOf(
  { servers, loads, publisher, network }: Stage['peers'],
  role: Role,
  server?: number,
): number[] {
  const those = server === undefined ? running(servers) : running(servers.slice(server - 1, server));
  const all = { server: those, load: loads, publisher: [publisher], network: network ? [network] : [] };
  // Number 0 would be this very process's group: nobody here can stop what runs on a worker.
  return all[role].map(({ pid }) => pid).filter((pid) => pid > 0);
}
