// Measures how far a machine's monotonic clock is from the clock of a Redis that both machines of a run ask,
// and of two such readings how far they are from one another.

import type { Redis } from 'ioredis';

export type ClockReading = {
  /** Redis's clock less this machine's. */
  redisAheadUs: number;
  /** The reading is wrong by at most this, since Redis read its clock at some moment of the way. */
  halfTripUs: number;
};

export type ClockShift = {
  /** What is added to the worker's clock to have the coordinator's. */
  shiftUs: number;
  /** The error of that is at most this, in either direction. */
  boundUs: number;
};

/** The shortest of so many is taken: whatever else is in a round trip makes it longer. */
const tries = 32;

/** Asks Redis for its time several times, and takes the reading with the shortest round trip. */
export async function readClock(redis: Pick<Redis, 'time'>, nowUs: () => number): Promise<ClockReading> {
  let best: ClockReading = { redisAheadUs: 0, halfTripUs: Infinity };
  for (let i = 0; i < tries; i++) {
    const askedUs = nowUs();
    const [seconds, micros] = await redis.time();
    const halfTripUs = (nowUs() - askedUs) / 2;
    if (halfTripUs < best.halfTripUs)
      best = { redisAheadUs: Number(seconds) * 1e6 + Number(micros) - askedUs - halfTripUs, halfTripUs };
  }
  return best;
}

/** From the worker's clock to the coordinator's. The bounds of both readings add up. */
export function shiftBetween(worker: ClockReading, coordinator: ClockReading): ClockShift {
  return {
    shiftUs: Math.round(worker.redisAheadUs - coordinator.redisAheadUs),
    boundUs: Math.ceil(worker.halfTripUs + coordinator.halfTripUs),
  };
}

/**
 * How well the clocks are known over a whole trial: what they drifted by until its end is an error too, since
 * the load process kept the shift that it began with.
 */
export function boundOver(begin: ClockShift, end: ClockShift): { driftUs: number; boundUs: number } {
  const driftUs = end.shiftUs - begin.shiftUs;
  return { driftUs, boundUs: Math.max(begin.boundUs, Math.abs(driftUs) + end.boundUs) };
}
