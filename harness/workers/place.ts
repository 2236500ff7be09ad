// Keeps a worker's place in one run: starts a load process for each trial, on the coordinator's clock, and
// passes its commands and reports on, until the run is over or one of the two ends is gone.

import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { descriptorLimit } from '../../core/base/descriptor-limit.ts';
import type { LoadCommand, LoadReport } from '../../core/protocol/control.ts';
import { forkChild } from '../process/child.ts';
import { onEnd } from '../process/peer.ts';
import { ephemeralPortCount } from '../process/probe.ts';
import { version } from '../run/version.ts';
import { loadEntry } from '../trial/fleet.ts';
import { hostsOf, maySendTo, ownPlace } from './addresses.ts';
import { openChannel, type Channel } from './channel.ts';
import { readClock, shiftBetween } from './clock-offset.ts';
import { keysOf, openOffer, type FromWorker, type ToWorker } from './messages.ts';
import { namesOf, openQueue, removeQueue } from './queues.ts';
import type { RedisLink } from './redis-link.ts';
import type { Secret } from './secret.ts';

/** The clock of a worker's machine. A test gives another one than this machine's. */
export type MachineClock = {
  nowUs(): number;
  /** What `nowUs` is ahead of the clock that child processes read. */
  aheadUs: number;
};

export type PlaceOptions = {
  link: RedisLink;
  secret: Secret;
  name: string;
  /** Hosts besides loopback that load may go to. */
  allow: readonly string[];
  clock: MachineClock;
  /** Tells the worker's user something. */
  say(text: string): void;
  /** The worker is ending. */
  over: AbortSignal;
};

/** How often a worker looks whether its coordinator is still there, and how often it may not be. */
const lookEveryMs = 2000;
const absentMost = 3;
const sentWithinMs = 1000;

/** @property gone resolves when it is */
type Life = { number: number; child: ChildProcess; gone: Promise<void> };
type Place = PlaceOptions & {
  channel: Channel<FromWorker>;
  life: Life | undefined;
  /** It has ended: no load process begins any more. */
  isOver: boolean;
  /** Ends the place, with the reason. */
  end(why: string): void;
};

/** Keeps the place that a job of BullMQ offers, to its end. Never rejects. */
export async function keepPlace(data: unknown, options: PlaceOptions): Promise<void> {
  const { link, secret, name, allow, say, over } = options;
  const offer = openOffer(secret, data);
  if (!offer) return say('A run offered a place that is not signed with this token; it was refused.');
  const ended = Promise.withResolvers<string>();
  const nonce = randomBytes(16).toString('hex');
  const keys = keysOf(secret, offer);
  const names = namesOf(offer);
  const ends = {
    out: names.from,
    in: names.to,
    outKey: () => keys.fromWorker,
    inKey: () => keys.toWorker(nonce),
  };
  const channel = openChannel<FromWorker, ToWorker>(
    link,
    secret.prefix,
    ends,
    (message) => obey(place, message),
    ended.resolve,
  );
  const place: Place = { ...options, channel, life: undefined, isOver: false, end: ended.resolve };
  const stopListening = link.onGone(ended.resolve);
  const onOver = () => {
    channel.send({ kind: 'leaving', why: 'it was told to end' });
    ended.resolve('this worker was told to end');
  };
  over.addEventListener('abort', onOver, { once: true });
  if (over.aborted) onOver();
  const looking = watchCoordinator(channel, ended.resolve);
  channel.send({
    kind: 'hello',
    hello: {
      version,
      name,
      place: ownPlace(),
      allow,
      descriptorLimit: descriptorLimit('self'),
      ephemeralPorts: ephemeralPortCount(),
      nonce,
    },
  });
  say(`Taken into run ${offer.run} as load process ${offer.seat + 1}.`);

  const why = await ended.promise;
  place.isOver = true;
  over.removeEventListener('abort', onOver);
  stopListening();
  clearInterval(looking.timer);
  const { life } = place;
  life?.child.kill('SIGKILL');
  await life?.gone;
  await channel.sent(sentWithinMs);
  await channel.close();
  if (looking.isAlone()) await removeQueues(options, Object.values(names));
  say(`Run ${offer.run} ended here: ${why}.`);
}

/** Where the coordinator is gone, nobody else removes them. */
async function removeQueues({ link, secret }: PlaceOptions, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => removeQueue(openQueue(link, secret.prefix, name))));
}

function watchCoordinator(channel: Channel<FromWorker>, end: (why: string) => void) {
  let absent = 0;
  const timer = setInterval(() => {
    channel.isHeard().then(
      (isHeard) => {
        absent = isHeard ? 0 : absent + 1;
        if (absent >= absentMost) end('the run that it belonged to is gone');
      },
      () => {}, // Redis is away; its link says so
    );
  }, lookEveryMs);
  return { timer, isAlone: () => absent >= absentMost };
}

async function obey(place: Place, message: ToWorker): Promise<void> {
  const { channel, life, link, clock, end } = place;
  switch (message.kind) {
    case 'begin':
      return begin(place, message);
    case 'command':
      if (life?.number === message.life) tell(place, life, message.command);
      return;
    case 'kill':
      if (life?.number === message.life) life.child.kill('SIGKILL');
      return;
    case 'clock':
      return channel.send({ ...message, clock: await readClock(link.redis, clock.nowUs) });
    case 'over':
      return end('the run is over');
  }
}

async function begin(place: Place, message: Extract<ToWorker, { kind: 'begin' }>): Promise<void> {
  const { channel, link, clock, life: before } = place;
  before?.child.kill('SIGKILL');
  const { life: number } = message;
  const own = await readClock(link.redis, clock.nowUs);
  if (place.isOver) return; // in the meantime, so nobody would end the process
  const { shiftUs } = shiftBetween(own, message.clock);
  const child = forkChild(loadEntry);
  const gone = Promise.withResolvers<void>();
  place.life = { number, child, gone: gone.promise };
  child.on(
    'message',
    // Both ends are this package.
    (report) => channel.send({ kind: 'report', life: number, report: report as LoadReport }),
  );
  onEnd(child, (how) => {
    gone.resolve();
    if (place.life?.child === child) place.life = undefined;
    channel.send({ kind: 'ended', life: number, how });
  });
  toChild(child, { kind: 'clock', shiftUs: clock.aheadUs + shiftUs });
  channel.send({ kind: 'began', life: number, clock: own });
}

/** Passes a command on, unless it would send load where this worker's user did not allow it. */
function tell({ channel, allow, name }: Place, { number, child }: Life, command: LoadCommand): void {
  const hosts = command.kind === 'start' ? hostsOf(command.endpoint) : [];
  const refused = hosts.find((host) => !maySendTo(host, allow));
  if (refused === undefined) return toChild(child, command);
  const report: LoadReport = {
    kind: 'failed',
    code: 'worker-address',
    message: `the worker ${name} may not send load to ${refused}: start it with --allow ${refused}`,
  };
  channel.send({ kind: 'report', life: number, report });
}

function toChild(child: ChildProcess, command: LoadCommand): void {
  // One that has just died is announced by its end; a failed send would say the same less clearly.
  if (child.connected) child.send(command, () => {});
}
