// Keeps what each client remembers of its losses (core/policy/client/reconnect.ts), in arrays: a million of
// the policy's own objects would take four times as much. One object is lent at a time, and given back.

import { newComeback, type Comeback } from '../../core/policy/client/reconnect.ts';

export type Comebacks = {
  /** What a client remembers; until the next call of `of`. */
  of(client: number): Comeback;
  /** Takes what was changed in it. */
  keep(client: number): void;
};

const whys = [undefined, 'asked', 'tried', 'refused'] as const;

export function createComebacks(clients: number): Comebacks {
  const failures = new Uint32Array(clients);
  const turns = new Uint32Array(clients);
  const leastMs = new Float64Array(clients);
  const reconnectionMs = new Float64Array(clients).fill(-1);
  const laterMs = new Float64Array(clients);
  const windowMs = new Float64Array(clients);
  const openMs = new Float64Array(clients).fill(-1);
  const lostMs = new Float64Array(clients).fill(-1);
  const lastWaitMs = new Float64Array(clients);
  const wasOpen = new Uint8Array(clients);
  const refusedWith = new Uint16Array(clients);
  const ended = new Uint8Array(clients);
  const lent = newComeback();

  return {
    of(i) {
      lent.failures = failures[i]!;
      lent.turns = turns[i]!;
      lent.leastMs = leastMs[i]!;
      lent.reconnectionMs = reconnectionMs[i]!;
      lent.laterMs = laterMs[i]!;
      lent.windowMs = windowMs[i]!;
      lent.openMs = openMs[i]!;
      lent.lostMs = lostMs[i]!;
      lent.lastWaitMs = lastWaitMs[i]!;
      lent.wasOpen = wasOpen[i] === 1;
      lent.refusedWith = refusedWith[i]!;
      lent.ended = whys[ended[i]!];
      return lent;
    },
    keep(i) {
      failures[i] = lent.failures;
      turns[i] = lent.turns;
      leastMs[i] = lent.leastMs;
      reconnectionMs[i] = lent.reconnectionMs;
      laterMs[i] = lent.laterMs;
      windowMs[i] = lent.windowMs;
      openMs[i] = lent.openMs;
      lostMs[i] = lent.lostMs;
      lastWaitMs[i] = lent.lastWaitMs;
      wasOpen[i] = Number(lent.wasOpen);
      refusedWith[i] = lent.refusedWith;
      ended[i] = whys.indexOf(lent.ended);
    },
  };
}
