// Runs a client's way from a loss back to a subscription: it waits by its policy, chooses a server, is
// refused where none listens, stands in the queue of one that does, and is subscribed or refused when the
// server gets to it. What its policy says is core/policy/client/; what it hears is pattern-rules.ts.

import { chooseServer } from '../../core/policy/client/choose-server.ts';
import { takeWaitMs } from '../../core/policy/client/reconnect.ts';
import { drawAdviceMs } from '../../core/policy/server/drain.ts';
import type { AbsenceCause } from '../../core/result/recovery.ts';
import { resume } from './log.ts';
import type { Refusing } from './pattern-rules.ts';
import { synWaitUs } from './syn.ts';
import { timerUs } from './time.ts';
import type { ServerState } from './server-state.ts';
import { states, type World } from './world.ts';

/** Its wait is over, or it comes back by itself. */
export function attempt(world: World, client: number): void {
  const { clients, comebacks, servers, account, time } = world;
  if (clients.hasLeft[client] === 1) {
    clients.state[client] = states.left;
    return;
  }
  const server = servers[chooseServer(client, comebacks.of(client).turns, servers.length)]!;
  clients.server[client] = server.place;
  account.tried();
  if (!server.listening) return failed(world, client);
  if (server.hangsUp) {
    account.opened(time.nowUs());
    world.handshake(time.nowUs(), server.place);
    return failed(world, client);
  }
  if (world.lists.size(server.queue) < world.syn.most) enterQueue(world, client, server);
  else askAgain(world, client, server);
}

/** The kernel has completed the connection; the server has yet to see it. */
function enterQueue(world: World, client: number, server: ServerState): void {
  const { clients, lists, time, account, connectUs } = world;
  const nowUs = time.nowUs();
  account.opened(nowUs);
  world.handshake(nowUs, server.place);
  const beginsUs = server.thread.serve(nowUs, connectUs);
  world.worked(server.place, beginsUs, connectUs);
  lists.push(server.queue, client);
  clients.state[client] = states.queued;
  due(world, client, beginsUs + connectUs, world.on.served);
}

function due(world: World, client: number, atUs: number, handler: World['on']['served']): void {
  const whole = Math.round(atUs);
  world.clients.dueUs[client] = whole;
  world.time.at(whole, handler, client);
}

/** The packet was dropped, and nobody is told: the client's kernel sends another one in a while. */
function askAgain(world: World, client: number, server: ServerState): void {
  const { clients, lists, time, batches, latest, together } = world;
  clients.state[client] = states.asks;
  const nowUs = time.nowUs();
  const known = latest[server.place]!;
  if (together && known.atUs === nowUs) {
    lists.push(batches[known.batch]!.list, client);
    return;
  }
  const batch = world.freeBatches.pop() ?? batches.length;
  batches[batch] = { server: server.place, sent: 1, list: lists.open() };
  lists.push(batches[batch]!.list, client);
  latest[server.place] = { atUs: nowUs, batch };
  time.at(nowUs + synWaitUs(1, world.syn), world.on.again, batch);
}

/** The packets of a batch are sent again: as many get in as there is room for. */
export function sendAgain(world: World, place: number): void {
  const { lists, servers, syn, batches, time } = world;
  const batch = batches[place]!;
  const server = servers[batch.server]!;
  const isOver = batch.sent > syn.retransmits;
  for (let client = lists.first(batch.list); client >= 0; client = lists.first(batch.list)) {
    const fits = server.listening && !server.hangsUp && !isOver;
    if (fits && lists.size(server.queue) >= syn.most) break;
    lists.remove(client);
    if (fits) enterQueue(world, client, server);
    else failed(world, client);
  }
  if (lists.size(batch.list) === 0) {
    lists.close(batch.list);
    world.freeBatches.push(place);
    return;
  }
  batch.sent++;
  time.at(time.nowUs() + synWaitUs(batch.sent, syn), world.on.again, place);
}

/** The server gets to all that it has accepted so much later, in the same order. */
export function putOff(world: World, server: ServerState, byUs: number): void {
  const { clients, lists, on } = world;
  lists.each(server.queue, (client) => due(world, client, clients.dueUs[client]! + byUs, on.served));
}

/** The server gets to a client that it has accepted. */
export function served(world: World, client: number): void {
  const { clients, lists, servers, time } = world;
  const server = servers[clients.server[client]!]!;
  if (clients.state[client] !== states.queued || clients.dueUs[client] !== time.nowUs()) return;
  lists.remove(client);
  const refusing = refusalOf(server);
  if (refusing === undefined) join(world, client, server);
  else refuse(world, client, server, refusing);
}

function refusalOf({ closing, draining, down }: ServerState): Refusing | undefined {
  if (draining) return 'draining';
  if (closing) return 'closing';
  return down ? 'down' : undefined;
}

function refuse(world: World, client: number, server: ServerState, why: Refusing): void {
  const { comebacks, rules, time, random } = world;
  const memory = comebacks.of(client);
  const adviceMs = server.draining && drawAdviceMs(server.draining, random.advice);
  const end = rules.refused(memory, why, time.nowMs(), adviceMs);
  comebacks.keep(client);
  if (end === 'stays away') {
    world.account.refused();
    giveUp(world, client);
  } else failed(world, client);
}

function join(world: World, client: number, server: ServerState): void {
  const { clients, lists, comebacks, rules, time, log, deliveries, account } = world;
  rules.joined(comebacks.of(client), time.nowMs());
  comebacks.keep(client);
  const returning = {
    lostAt: clients.lostAt[client]!,
    epoch: clients.epoch[client]!,
    joinedAt: clients.joinedAt[client]!,
    topics: deliveries.topicsOf(client),
  };
  const { tooLate, found } = resume(log, server.reach, returning);
  account.missed(deliveries.resumed(returning, found, time.nowUs()));
  account.back(client, time.nowUs(), tooLate ? 'tooLate' : 'recovered');
  if (tooLate) clients.joinedAt[client] = Math.max(returning.joinedAt, server.reach.from);
  clients.epoch[client] = server.reach.epoch;
  lists.push(server.members, client);
  clients.state[client] = states.here;
  clients.here++;
  deliveries.joined(client, server.place);
}

/** A client is not subscribed any more. The caller says what it does next. */
export function part(world: World, client: number, cause: AbsenceCause): void {
  const { clients, lists, servers, deliveries, account, time, log } = world;
  const server = servers[clients.server[client]!]!;
  lists.remove(client);
  clients.here--;
  clients.lostAt[client] = log.size();
  deliveries.left(client, server.place);
  account.lost(client, time.nowUs(), cause);
  if (lists.size(server.members) > 0) return;
  const { emptied } = server;
  server.emptied = undefined;
  emptied?.();
}

/** A client that was subscribed is cut off, and comes back by its policy. */
export function cut(world: World, client: number): void {
  part(world, client, 'cut');
  comeBackLater(world, client);
}

/** An attempt came to nothing. */
function failed(world: World, client: number): void {
  world.account.refused();
  comeBackLater(world, client);
}

/** All that wait to be accepted fail, where the listener goes. */
export function failQueued(world: World, server: ServerState): void {
  world.lists.each(server.queue, (client) => {
    world.lists.remove(client);
    failed(world, client);
  });
}

function comeBackLater(world: World, client: number): void {
  const { clients, comebacks, policy, random, time } = world;
  const waitMs = takeWaitMs(comebacks.of(client), policy, random.waits, time.nowMs());
  comebacks.keep(client);
  if (waitMs === undefined) return giveUp(world, client);
  clients.state[client] = states.waits;
  due(world, client, timerUs(time.nowUs(), waitMs), world.on.attempt);
}

export function giveUp({ clients, account }: World, client: number): void {
  clients.state[client] = states.gone;
  account.gaveUp(client);
}

/** The wait of a client is over, unless something came in between. */
export function waited(world: World, client: number): void {
  const { clients, time } = world;
  if (clients.state[client] === states.waits && clients.dueUs[client] === time.nowUs())
    attempt(world, client);
}

/** It leaves voluntarily, for a while. */
export function leave(world: World, client: number): void {
  const { clients, comebacks, lists } = world;
  const state = clients.state[client];
  if (state === states.gone) return;
  clients.hasLeft[client] = 1;
  if (state === states.waits) return; // when its wait is over it sees that it has left
  if (state === states.here) {
    comebacks.of(client).openMs = -1; // the time away is not time connected
    comebacks.keep(client);
    part(world, client, 'left');
  } else lists.remove(client);
  clients.state[client] = states.left;
}

export function comeBack(world: World, client: number): void {
  const { clients } = world;
  clients.hasLeft[client] = 0;
  if (clients.state[client] === states.left) attempt(world, client);
}
