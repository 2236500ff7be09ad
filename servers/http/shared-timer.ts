// One timer for thousands of subscribers: pings and heartbeats without a timer for each.

const mostSlots = 64;
const leastSlotMs = 20;

export type Rounds<Member> = {
  add(member: Member): void;
  delete(member: Member): void;
  stop(): void;
};

/**
 * Visits each member once in every interval. They are dealt over it, so that not all have their turn at once.
 */
export function createRounds<Member>(intervalMs: number, visit: (member: Member) => void): Rounds<Member> {
  const slots = Array.from(
    { length: Math.max(1, Math.min(mostSlots, Math.floor(intervalMs / leastSlotMs))) },
    () => new Set<Member>(),
  );
  const slotOf = new Map<Member, Set<Member>>();
  let dealt = 0;
  let turn = 0;
  const timer = setInterval(
    () => slots[turn++ % slots.length]!.forEach((member) => visit(member)),
    intervalMs / slots.length,
  );
  timer.unref(); // it is the connections of its members that keep the process
  return {
    add(member) {
      const slot = slots[dealt++ % slots.length]!;
      slot.add(member);
      slotOf.set(member, slot);
    },
    delete(member) {
      slotOf.get(member)?.delete(member);
      slotOf.delete(member);
    },
    stop: () => clearInterval(timer),
  };
}
