// Decides to which server of a list a subscriber goes. Numbers in, a number out.

import { random } from '../../base/random.ts';

/** Reused by each call. */
let others = new Uint32Array(64);

/**
 * A subscriber's first server is `subscriber % servers`, so that subscribers spread evenly. After each loss
 * and each failed attempt it goes to the next, in its own order: the others shuffled, and then the first
 * again. So the clients of a server that is gone spread over all the others, and a server that refuses
 * connections is left after one attempt.
 * @param turns the subscriber's losses and failed attempts so far
 * @returns the server's place in the list, from 0
 */
export function chooseServer(subscriber: number, turns: number, servers: number): number {
  const first = subscriber % servers;
  const turn = turns % servers;
  if (turn === 0) return first;
  // A simulation asks millions of times, so nothing is allocated for it.
  if (others.length < servers) others = new Uint32Array(servers);
  for (let i = 0; i < servers - 1; i++) others[i] = i < first ? i : i + 1;
  const next = random(subscriber, 'servers');
  // Fisher and Yates, only as far as is asked for.
  for (let i = 0; i < turn; i++) {
    const from = i + Math.floor(next() * (servers - 1 - i));
    const other = others[i]!;
    others[i] = others[from]!;
    others[from] = other;
  }
  return others[turn - 1]!;
}
