// Joins workers to a run: finds out how many wait at a Redis, gives each a place, refuses those that cannot
// do what is asked, and makes load processes of them for the trials.

import { nowUs } from '../../core/base/clock.ts';
import { counted } from '../../core/base/counted.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatNumber } from '../../core/base/units.ts';
import { within } from '../../core/base/within.ts';
import { isLoopbackHost } from '../../core/http/access.ts';
import type { LoadPeer } from '../trial/fleet.ts';
import { maySendTo, ownPlace } from './addresses.ts';
import type { Hello } from './messages.ts';
import { lobbyName, openQueue, workersAt } from './queues.ts';
import { openRedisLink, type RedisLink } from './redis-link.ts';
import { createRemoteLoad } from './remote-load.ts';
import { offerSeats, type Seats, type TakenSeat } from './seats.ts';
import { secretOf, type Secret } from './secret.ts';

/** How long a run waits for its workers. */
export const joinMs = 60_000;
/** When it says what it waits for. */
const sayAfterMs = 1500;

export type Lobby = {
  /** For people. */
  place: string;
  /** How many workers wait there with this token for a place in a run; those that have one do not count. */
  waiting: number;
  /**
   * Gives a place to so many workers.
   * @param needs what each must be able to do
   * @throws UserError when too few came in time, one cannot do it, or Redis is of no use; the signal's reason
   *   when it is aborted
   */
  join(count: number, needs: Needs, signal: AbortSignal): Promise<Workers>;
  close(): void;
};

export type Needs = {
  /** Hosts that load goes to. */
  hosts: readonly string[];
  /** That a worker holds open at most. */
  descriptors: number;
  /** Ephemeral ports that so many of the workers need where they are on one machine. */
  ports(workers: number): number;
  note(text: string): void;
};

export type Workers = {
  names: readonly string[];
  /** Begins a load process on a worker. @param index of the process, which is that of the worker */
  load(index: number): LoadPeer;
  /** Lets them go. */
  close(): Promise<void>;
};

/** @throws UserError when the token is too short, or no Redis answers */
export async function openLobby(
  url: string,
  token: string,
  signal: AbortSignal,
  waitMs: number = joinMs,
): Promise<Lobby> {
  const secret = secretOf(token);
  const link = await openRedisLink(url, '--workers', signal);
  const { own } = await workersAt(link, secret.prefix);
  const busy = await openQueue(link, secret.prefix, lobbyName).getActiveCount();
  return {
    place: link.place,
    waiting: Math.max(0, own - busy), // a place of one that has just died is still active
    join: (count, needs, over) => join({ link, secret, waitMs }, count, needs, over),
    close: link.close,
  };
}

type Context = { link: RedisLink; secret: Secret; waitMs: number };

async function join(
  { link, secret, waitMs }: Context,
  count: number,
  needs: Needs,
  signal: AbortSignal,
): Promise<Workers> {
  const seats = offerSeats({ link, secret, nowUs }, count);
  const saying = setTimeout(
    () =>
      needs.note(
        `waiting up to ${waitMs / 1000} s for ${counted(count, 'worker')} at ${link.place}, ` +
          `${seats.taken()} of them here: pushbench worker --join ${link.place} with the token of this run`,
      ),
    sayAfterMs,
  );
  try {
    const taken = await within(seats.all, waitMs, signal);
    for (const { hello } of taken) refuse(hello, needs);
    for (const there of Map.groupBy(taken, ({ hello }) => hello.place).values()) refusePorts(there, needs);
    return {
      names: taken.map(({ name }) => name),
      load: (index) => createRemoteLoad(seatAt(taken, index), index),
      close: seats.close,
    };
  } catch (error) {
    const why = signal.aborted ? undefined : await whyNot(error, seats, count, { link, secret, waitMs });
    await seats.close();
    signal.throwIfAborted();
    throw why;
  } finally {
    clearTimeout(saying);
  }
}

function seatAt(taken: readonly TakenSeat[], index: number): TakenSeat {
  const seat = taken[index];
  if (!seat) throw new RangeError(`there is no worker ${index} among ${taken.length}`);
  return seat;
}

async function whyNot(
  error: unknown,
  seats: Seats,
  count: number,
  { link, secret, waitMs }: Context,
): Promise<UserError> {
  if (error instanceof UserError) return error;
  const { others } = await within(workersAt(link, secret.prefix), 1000).catch(() => ({ others: 0 }));
  return new UserError(
    'workers',
    `${seats.taken()} of ${counted(count, 'worker')} joined at ${link.place} within ` +
      `${waitMs / 1000} s. ` +
      (others > 0
        ? `${counted(others, 'worker is', 'workers are')} there with another token: give run and workers ` +
          'the same one. '
        : '') +
      'Start as many as --worker-count says, with "pushbench worker --join" and the same Redis and token; ' +
      'one that works in another run comes when that is over.',
    exitCodes.failed,
  );
}

/** @throws UserError when the worker cannot do what is asked */
function refuse({ name, place, allow, descriptorLimit = Infinity }: Hello, needs: Needs): void {
  const own = place === ownPlace();
  for (const host of needs.hosts) {
    if (isLoopbackHost(host) && !own)
      throw new UserError(
        'listen',
        `The worker ${name} is on another machine, and ${host} is reached from this one alone: give the ` +
          'address of this machine that workers reach, with --listen ADDRESS.',
      );
    if (!maySendTo(host, allow))
      throw new UserError(
        'worker-address',
        `The worker ${name} may not send load to ${host}: start it with --allow ${host}.`,
      );
  }
  if (descriptorLimit < needs.descriptors)
    throw new UserError(
      'preflight',
      `The worker ${name} needs ${needs.descriptors} file descriptors for its subscribers, and its limit ` +
        `is ${descriptorLimit}: raise it there with "ulimit -n ${needs.descriptors}", or take more workers.`,
      exitCodes.failed,
    );
}

/**
 * @param there workers that share a network, and so its ports
 * @throws UserError when those are too few
 */
function refusePorts(there: readonly TakenSeat[], needs: Needs): void {
  const ports = Math.min(...there.map(({ hello }) => hello.ephemeralPorts ?? Infinity));
  const needed = needs.ports(there.length);
  if (ports >= needed) return;
  const names = listed(there.map(({ name }) => name));
  const isOne = there.length === 1;
  throw new UserError(
    'preflight',
    `${isOne ? `The worker ${names} needs` : `The workers ${names} are on one machine and need`} ` +
      `${formatNumber(needed)} ephemeral ports for the connections to one server, and its range holds ` +
      `${formatNumber(ports)}: widen it there with "sysctl -w net.ipv4.ip_local_port_range='10240 65535'", ` +
      'or take workers on more machines.',
    exitCodes.failed,
  );
}
