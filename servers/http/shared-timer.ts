// Runs one timer for thousands of subscribers: pings and heartbeats without a timer for each. Without members
// there is none, so that an idle server sleeps.

import { divideInterval, turnOfMember } from '../../core/policy/server/turns.ts';

export type SharedTimer<Member> = {
  add(member: Member): void;
  delete(member: Member): void;
  stop(): void;
};

/** Visits each member once in every interval, at the turn that core/policy/server/turns.ts gives it. */
export function createSharedTimer<Member>(
  intervalMs: number,
  visit: (member: Member) => void,
): SharedTimer<Member> {
  const turns = divideInterval(intervalMs);
  const members = Array.from({ length: turns.count }, () => new Set<Member>());
  const turnOf = new Map<Member, Set<Member>>();
  let dealt = 0;
  let current = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const sleep = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const wake = () => {
    timer = setInterval(
      () => members[current++ % turns.count]!.forEach((member) => visit(member)),
      turns.everyMs,
    );
    timer.unref(); // it is the connections of its members that keep the process
  };
  return {
    add(member) {
      if (!timer && !stopped) wake();
      const turn = members[turnOfMember(turns, dealt++)]!;
      turn.add(member);
      turnOf.set(member, turn);
    },
    delete(member) {
      turnOf.get(member)?.delete(member);
      turnOf.delete(member);
      if (turnOf.size === 0) sleep();
    },
    stop() {
      stopped = true;
      sleep();
    },
  };
}
