// Stands for one load process on a worker: to the phases of a trial it is a load process like any other. When
// the worker is lost while events are published, it answers in its place, with what it had reported.

import type { LoadCommand, LoadReport, LoadSample } from '../../core/protocol/control.ts';
import { messageOf } from '../../core/base/errors.ts';
import { within } from '../../core/base/within.ts';
import type { WorkerUse } from '../../core/result/worker-use.ts';
import { createPeer, TrialFailure, type Inbox } from '../process/peer.ts';
import type { LoadPeer } from '../trial/fleet.ts';
import { boundOver, shiftBetween, type ClockReading, type ClockShift } from './clock-offset.ts';
import { closeLost } from './lost-share.ts';
import type { FromWorker, ToWorker } from './messages.ts';

type Command<K extends LoadCommand['kind']> = Extract<LoadCommand, { kind: K }>;
type OfLife = Extract<FromWorker, { life: number }>;

/** A place that a worker keeps, as its load processes need it. */
export type Seat = {
  readonly name: string;
  send(message: ToWorker): void;
  /** Why its worker is lost; undefined while it is there. */
  readonly lost: string | undefined;
  /**
   * Begins a load process: from here on its messages come here, and the end of the place.
   * @returns its number
   */
  begin(listener: { take(message: OfLife): void; lost(why: string): void }): number;
  /** The clock of this machine, against Redis. @throws when Redis is away */
  readClock(): Promise<ClockReading>;
  nowUs(): number;
};

/** Until a worker has compared its clock once more. */
const clockWithinMs = 3000;
/** Until a load process that is ended by force is known to be gone; then it is taken to be. */
const killedWithinMs = 1000;

type State = {
  readonly seat: Seat;
  readonly index: number;
  readonly life: number;
  readonly box: Inbox<LoadReport>;
  /** Commands before the load process has begun. */
  early: LoadCommand[] | undefined;
  start: Command<'start'> | undefined;
  window: Command<'window'>['window'] | undefined;
  /** The command to close, while its answer has not come. */
  closing: Command<'close'> | undefined;
  /** Its subscribers publish, too. */
  isSending: boolean;
  isClosed: boolean;
  isStopping: boolean;
  last: LoadSample | undefined;
  own: ClockReading | undefined;
  began: ClockShift | undefined;
  /** Takes the clock that was asked for. */
  clock: ((reading: ClockReading) => void) | undefined;
  /** Why nothing more comes from it. */
  gone: string | undefined;
  /** The same, where it had not closed its ledger. */
  lost: { why: string; atUs: number } | undefined;
};

/** Begins a load process on the worker. @param index among the load processes of the trial, from 0 */
export function createRemoteLoad(seat: Seat, index: number): LoadPeer {
  let state!: State; // made with the peer, which is told where its reports go
  const peer = createPeer<LoadCommand, LoadReport>(`load ${index + 1} (${seat.name})`, (box) => {
    const life = seat.begin({ take: (message) => take(state, message), lost: (why) => lose(state, why) });
    state = newState(seat, index, life, box);
    return { pid: 0, send: (command) => send(state, command), kill: () => kill(state) };
  });
  if (seat.lost === undefined) void begin(state);
  else lose(state, seat.lost);
  return { ...peer, worker: { name: seat.name, account: () => accountOf(state) } };
}

function newState(seat: Seat, index: number, life: number, box: Inbox<LoadReport>): State {
  return {
    seat,
    index,
    life,
    box,
    early: [],
    start: undefined,
    window: undefined,
    closing: undefined,
    isSending: false,
    isClosed: false,
    isStopping: false,
    last: undefined,
    own: undefined,
    began: undefined,
    clock: undefined,
    gone: undefined,
    lost: undefined,
  };
}

async function begin(state: State): Promise<void> {
  const { seat, life, box } = state;
  try {
    state.own = await seat.readClock();
  } catch (error) {
    return box.broke(new TrialFailure('workers-redis', messageOf(error)));
  }
  seat.send({ kind: 'begin', life, clock: state.own });
  for (const command of state.early ?? []) seat.send({ kind: 'command', life, command });
  state.early = undefined;
}

function send(state: State, command: LoadCommand): void {
  if (command.kind === 'start') state.start = command;
  if (command.kind === 'window') state.window = command.window;
  if (command.kind === 'messages') state.isSending = true;
  if (command.kind === 'close') state.closing = command;
  if (command.kind === 'stop') state.isStopping = true;
  if (state.gone !== undefined) answerForIt(state, command);
  else if (state.early) state.early.push(command);
  else state.seat.send({ kind: 'command', life: state.life, command });
}

/** A process that is gone says nothing; what waits for the end of its part must not wait for ever. */
function answerForIt(state: State, command: LoadCommand): void {
  const { box, start, last, gone = '' } = state;
  if (command.kind === 'stop') box.ended(gone);
  if (command.kind === 'close' && start) {
    state.closing = undefined;
    box.deliver(closeLost(start, command, last, gone));
  }
}

function kill(state: State): void {
  const { seat, life, box, gone } = state;
  if (gone !== undefined) return box.ended(gone);
  seat.send({ kind: 'kill', life });
  setTimeout(() => box.ended('killed'), killedWithinMs);
}

function take(state: State, message: OfLife): void {
  const { box } = state;
  if (state.gone !== undefined) return;
  switch (message.kind) {
    case 'began':
      state.began = shiftBetween(message.clock, state.own!); // it was sent along
      return;
    case 'clock':
      return state.clock?.(message.clock);
    case 'report': {
      const { report } = message;
      if (report.kind === 'sample') state.last = report;
      if (report.kind === 'closed') Object.assign(state, { closing: undefined, isClosed: true });
      return box.deliver(report);
    }
    case 'ended':
      // Before anything was published its end is as that of any process.
      if (!state.window && !state.isStopping) return box.ended(message.how);
      return lose(state, `its load process ended: ${message.how}`);
  }
}

function lose(state: State, why: string): void {
  const { seat, box, window, closing, isSending, isClosed, isStopping } = state;
  if (state.gone !== undefined) return;
  state.gone = why;
  if (isStopping) return box.ended(why);
  if (isClosed) return;
  // What its subscribers published is not known, so nobody knows what the others were owed.
  if (!window || isSending) {
    const message = `the worker ${seat.name} was lost: ${why}`;
    return box.broke(new TrialFailure('worker-lost', message));
  }
  state.lost = { why, atUs: seat.nowUs() - window.fromUs };
  if (closing) answerForIt(state, closing);
}

async function accountOf(state: State): Promise<WorkerUse> {
  const { seat, index, start, began = { shiftUs: 0, boundUs: 0 } } = state;
  const use = { load: index, name: seat.name, subscribers: start?.count ?? 0, offsetUs: began.shiftUs };
  const end = state.gone === undefined ? await endClock(state) : undefined;
  const { lost } = state;
  return {
    ...use,
    ...(end ? boundOver(began, end) : { boundUs: began.boundUs }),
    ...(lost && { lost }),
  };
}

/** @returns undefined where the clocks could not be compared again */
async function endClock(state: State): Promise<ClockShift | undefined> {
  const { seat, life } = state;
  const asked = Promise.withResolvers<ClockReading>();
  state.clock = asked.resolve;
  seat.send({ kind: 'clock', life });
  try {
    const worker = await within(asked.promise, clockWithinMs);
    return shiftBetween(worker, await within(seat.readClock(), clockWithinMs));
  } catch {
    return undefined;
  }
}
