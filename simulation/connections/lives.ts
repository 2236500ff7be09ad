// Begins and ends the processes of servers: what becomes of a server's clients, of its log, and of events
// that are published while none runs.

import type { Profile } from '../../core/profile/profile.ts';
import type { BrokerName } from '../../core/scenario/servers.ts';
import { cut, failQueued, giveUp, part, putOff } from './connecting.ts';
import type { ServerState } from './server-state.ts';
import type { World } from './world.ts';

/** What the profile says of servers with this broker; else of those without one, if it says anything. */
export function lifeIn({ serverLife, cluster }: Profile, broker: BrokerName): Profile['serverLife'] {
  const own = broker === 'in-process' ? undefined : cluster?.brokers[broker]?.serverLife;
  return own ?? serverLife;
}

/** The process is gone at once: the kernel closes its connections, and refuses new ones. */
export function kill(world: World, server: ServerState): void {
  server.emptied = undefined;
  server.running = server.listening = false;
  server.life++;
  world.lists.each(server.members, (client) => cut(world, client));
  failQueued(world, server);
  world.publishing.serversChanged();
}

/** It says goodbye to all in one turn, and ends. @param ended called when it has */
export function close(world: World, server: ServerState, ended: () => void): void {
  const { rules, time, lists, ends } = world;
  const hadMembers = lists.size(server.members) > 0;
  server.running = false;
  server.closing = true;
  server.emptied = undefined;
  lists.each(server.members, (client) => {
    if (rules.goneForGood) {
      part(world, client, 'cut');
      giveUp(world, client);
    } else cut(world, client);
  });
  // One that was drained has told its clients to come back, and waits for nobody.
  const lingersMs = hadMembers && !server.draining ? rules.lingersMs : 0;
  server.endsUs = time.nowUs() + lingersMs * 1000 + ends.stopUs;
  const gone = () => {
    server.listening = false;
    failQueued(world, server);
    world.publishing.serversChanged();
    time.later(time.nowUs() + ends.stopUs, ended);
  };
  if (lingersMs > 0) time.later(time.nowUs() + lingersMs * 1000, gone);
  else gone();
}

/**
 * A process of it starts as soon as the one before has ended, which harness/cluster/member.ts waits for too.
 * @param begun called when it listens
 */
export function begin(world: World, server: ServerState, begun: () => void): void {
  const { time } = world;
  if (time.nowUs() >= server.endsUs) return launch(world, server, begun);
  time.later(server.endsUs, () => {
    if (!server.running) launch(world, server, begun); // else another fault has begun it meanwhile
  });
}

function launch(world: World, server: ServerState, begun: () => void): void {
  const { ends, sharing, log } = world;
  server.running = server.begun = true;
  const life = ++server.life;
  const epoch = sharing.epochs === 'own' ? world.nextEpoch++ : 0;
  const isGone = () => server.life !== life;
  starting(world, ends.startUs, isGone, () => {
    if (isGone()) return; // before it listened
    Object.assign(server, {
      listening: true,
      closing: false,
      draining: undefined,
      down: false,
      hangsUp: false,
      thread: world.newThread(),
      reach: { from: sharing.starts === 'empty' ? log.size() : 0, epoch },
    } satisfies Partial<ServerState>);
    world.publishing.serversChanged();
    begun();
  });
}

/** About as much as a kernel gives each of several processes on a core before the next has its turn. */
const sliceUs = 3000;

/**
 * A process that starts computes all the time. Where it has no core of its own it takes turns with the others
 * there.
 */
function starting(
  { time, sharesCore, newThread }: World,
  startUs: number,
  isGone: () => boolean,
  listens: () => void,
): void {
  if (!sharesCore) return time.later(time.nowUs() + startUs, listens);
  const core = newThread();
  let leftUs = startUs;
  const turn = () => {
    if (leftUs <= 0 || isGone()) return listens();
    const tookUs = Math.min(sliceUs, leftUs);
    leftUs -= tookUs;
    time.later(core.serve(time.nowUs(), tookUs) + tookUs, turn);
  };
  turn();
}

/** It stands still: what it has to do waits, and its kernel goes on completing connections. */
export function freeze(world: World, server: ServerState, forMs: number): void {
  server.thread.serve(world.time.nowUs(), forMs * 1000);
  putOff(world, server, forMs * 1000);
}

/** All are let go at once, as after a failure, and the server goes on. */
export function dropAll(world: World, server: ServerState): void {
  world.lists.each(server.members, (client) => cut(world, client));
}
