// Reads the stamps that a publisher gives an event, wherever a pattern carries them.

import type { Stamps } from './event.ts';

/** The largest that each stamp may be, by its name on the wire (docs/wire.md). */
const largest = {
  planned: Number.MAX_SAFE_INTEGER,
  sent: Number.MAX_SAFE_INTEGER,
  crc: 2 ** 32 - 1,
  seq: 1e15,
};
/** Events are numbered from 1. */
const smallest = (name: StampName) => (name === 'seq' ? 1 : 0);

export type StampName = keyof typeof largest;
export type WrongStamp = { wrong: StampName; why: string };

/**
 * Reads the stamps of one event. A wrong one is told and not left out: without it an event would be measured
 * from another time, or not be checked.
 * @param given a stamp as it came: undefined where there is none, NaN where it is not a number
 */
export function readStamps(given: (name: StampName) => number | undefined): Stamps | WrongStamp {
  const stamps: Stamps = {};
  const [plannedUs, sentUs, crc, seq] = [given('planned'), given('sent'), given('crc'), given('seq')];
  if (plannedUs !== undefined) {
    if (!isStamp('planned', plannedUs)) return wrong('planned');
    stamps.plannedUs = plannedUs;
  }
  if (sentUs !== undefined) {
    if (!isStamp('sent', sentUs)) return wrong('sent');
    stamps.sentUs = sentUs;
  }
  if (crc !== undefined) {
    if (!isStamp('crc', crc)) return wrong('crc');
    stamps.crc = crc;
  }
  if (seq !== undefined) {
    if (!isStamp('seq', seq)) return wrong('seq');
    stamps.seq = seq;
  }
  return stamps;
}

function isStamp(name: StampName, value: number): boolean {
  return Number.isInteger(value) && value >= smallest(name) && value <= largest[name];
}

function wrong(name: StampName): WrongStamp {
  return { wrong: name, why: `is not a whole number from ${smallest(name)} to ${largest[name]}` };
}
