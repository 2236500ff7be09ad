// Says goodbye to the subscribers of a server that closes, when core/policy/server/goodbye.ts says.

import { goodbyeAtMs, goodbyeSpreadMs } from '../../core/policy/server/goodbye.ts';

/**
 * Tells each member, in their order. Those whose time is at once are told before it returns.
 * @param members is read once
 * @param spreadMs differs from the policy's in tests alone
 * @returns how long it is until the last one is told, in milliseconds
 */
export function sayGoodbye<Member>(
  members: Iterable<Member>,
  tell: (member: Member) => void,
  spreadMs = goodbyeSpreadMs,
): number {
  const all = [...members];
  let lastMs = 0;
  for (const [index, member] of all.entries()) {
    lastMs = goodbyeAtMs(index, all.length, spreadMs);
    if (lastMs === 0) tell(member);
    else setTimeout(() => tell(member), lastMs);
  }
  return lastMs;
}
