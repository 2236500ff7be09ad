// Carries the bytes of one direction of a connection: passes them on when they are due, and has the sender
// wait when too many are under way or the receiver does not read.

import type { Clock } from '../core/base/clock.ts';
import { newQueue } from '../core/base/queue.ts';
import type { Random } from '../core/base/random.ts';
import type { Conditions, Direction } from '../core/network/conditions.ts';
import { arrivalUs, isSilent, newLink, pieceBytes } from './conditions.ts';

/** Bytes that one direction of a connection holds at most, beside a chunk that was read already. */
export const windowBytes = 256 * 1024;

/**
 * What all connections hold together. Above the most, each lane holds one chunk and no more, and no response
 * is held back (http-gate.ts).
 */
export type Budget = { heldBytes: number; readonly mostBytes: number };

/** Where a lane's bytes come from. */
export type Source = { pause(): void; resume(): void };
/** Where they go to. */
export type Sink = {
  /** @returns whether it takes more at once; else `drained` is called later */
  write(bytes: Buffer): boolean;
  end(): void;
  reset(): void;
};

export type Lane = {
  /** Takes bytes, which nobody changes from then on. */
  push(bytes: Buffer): void;
  /** The source has ended, or its connection was reset; it becomes known after the bytes before it. */
  end(how: 'end' | 'reset'): void;
  /** There is somewhere to go to. */
  open(sink: Sink): void;
  /** The sink takes more. */
  drained(): void;
  setConditions(conditions: Conditions): void;
  /** The connection is over: held pieces are dropped. */
  stop(): void;
};

export type LaneOptions = {
  direction: Direction;
  conditions: Conditions;
  source: Source;
  budget: Budget;
  clock: Pick<Clock, 'nowUs'>;
  random: Random;
  /** From when on its bytes can be under way. */
  fromUs: number;
  passed(bytes: number): void;
};

type Item = { dueUs: number; what: Buffer | 'end' | 'reset' };

/** Node's timers are not finer than this, so pieces due sooner go on at once. */
const timerUs = 500;

/** What each piece of a lane would have to ask of its conditions. */
function traitsOf(conditions: Conditions, direction: Direction) {
  const { latencyMs, bandwidth, loss } = conditions;
  return {
    silent: isSilent(conditions, direction),
    plain: latencyMs === undefined && bandwidth?.[direction] === undefined && loss === undefined,
    mostBytes: pieceBytes(conditions, direction),
  };
}

export function createLane(options: LaneOptions): Lane {
  const { direction, source, budget, clock, random, passed } = options;
  let { conditions } = options;
  const link = newLink(options.fromUs);
  const queue = newQueue<Item>();
  let heldBytes = 0;
  let sink: Sink | undefined;
  let blocked = false;
  let paused = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let { silent, plain, mostBytes } = traitsOf(conditions, direction);

  function hold(bytes: number): void {
    heldBytes += bytes;
    budget.heldBytes += bytes;
  }

  /** Passes on pieces that are due, and sets a timer for the next. */
  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    const nowUs = clock.nowUs() + timerUs;
    while (sink && !blocked && !silent && !stopped) {
      const item = queue.peek();
      if (!item) break;
      if (item.dueUs > nowUs) {
        timer = setTimeout(pump, Math.ceil((item.dueUs - nowUs + timerUs) / 1000));
        break;
      }
      queue.shift();
      if (item.what === 'end') sink.end();
      else if (item.what === 'reset') sink.reset();
      else {
        hold(-item.what.length);
        write(sink, item.what);
      }
    }
    regulate();
  }

  function write(to: Sink, bytes: Buffer): void {
    passed(bytes.length);
    if (!to.write(bytes)) blocked = true;
  }

  /** Has the source wait, or go on. */
  function regulate(): void {
    const isFull = heldBytes >= windowBytes || (budget.heldBytes >= budget.mostBytes && heldBytes > 0);
    const hasRoom = heldBytes === 0 || (heldBytes <= windowBytes / 2 && !isFull);
    if (!paused && (blocked || isFull)) {
      paused = true;
      source.pause();
    } else if (paused && !blocked && hasRoom && !stopped) {
      paused = false;
      source.resume();
    }
  }

  function enqueue(bytes: Buffer): void {
    const nowUs = clock.nowUs();
    hold(bytes.length);
    for (let from = 0; from < bytes.length; from += mostBytes) {
      const piece = bytes.length <= mostBytes ? bytes : bytes.subarray(from, from + mostBytes);
      queue.push({
        dueUs: arrivalUs(link, piece.length, nowUs, conditions, direction, random),
        what: piece,
      });
    }
  }

  return {
    push(bytes) {
      if (stopped || bytes.length === 0) return;
      if (plain && sink && !blocked && !silent && queue.size() === 0) {
        write(sink, bytes);
        if (blocked) regulate();
        return;
      }
      const first = queue.size() === 0;
      enqueue(bytes);
      if (first) pump();
      else regulate();
    },
    end(how) {
      if (stopped) return;
      const first = queue.size() === 0;
      queue.push({ dueUs: arrivalUs(link, 0, clock.nowUs(), conditions, direction, random), what: how });
      if (first) pump();
    },
    open(to) {
      sink = to;
      pump();
    },
    drained() {
      blocked = false;
      pump();
    },
    setConditions(next) {
      conditions = next;
      ({ silent, plain, mostBytes } = traitsOf(next, direction));
      pump();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      budget.heldBytes -= heldBytes;
      heldBytes = 0;
      queue.drain();
    },
  };
}
