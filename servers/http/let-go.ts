// Sends the clients of a draining server away: tells each one at the time that core/policy/server/drain.ts
// chooses, closes the remaining ones at the limit, and counts. The pattern defines what a client is and how
// it is told.

import { drainTimesMs, type DrainCount, type DrainPlan } from '../../core/policy/server/drain.ts';

export type LetGoOptions<Member> = {
  /** Those who are there, in the order in which they came; the pattern takes out those who go. */
  members: ReadonlySet<Member>;
  /** The member's time has come. Where it is told then and there, `told` is called from here. */
  due(member: Member): void;
  /** It is still there at the limit. Takes it out, at once or soon. */
  cut(member: Member): void;
};

export type LettingGo = {
  /** A member was told. */
  told(): void;
  /** A member was taken out. */
  gone(): void;
  /** Tells nobody else: the server closes. */
  stop(): void;
  /** Resolves when nobody is left. */
  readonly done: Promise<DrainCount>;
};

/** Begins in this turn, when the caller has what `due` calls `told` on. */
export function letGo<Member>(plan: DrainPlan, { members, due, cut }: LetGoOptions<Member>): LettingGo {
  const all = [...members];
  const times = drainTimesMs(plan, all.length);
  const beganMs = performance.now();
  const { promise: done, resolve } = Promise.withResolvers<DrainCount>();
  let told = 0;
  let next = 0;
  let closedAtLimit = 0;
  let timer: NodeJS.Timeout | undefined;

  /** One timer for all of them, set for the next one: a drain does not take thousands of timers. */
  function tellDue(): void {
    const passedMs = performance.now() - beganMs;
    for (; next < all.length && times[next]! <= passedMs; next++)
      if (members.has(all[next]!)) due(all[next]!);
    if (next < all.length) timer = setTimeout(tellDue, Math.ceil(times[next]! - passedMs));
  }

  function closeRest(): void {
    clearTimeout(timer);
    closedAtLimit = members.size;
    for (const member of members) cut(member);
  }

  function gone(): void {
    if (members.size > 0) return;
    stop();
    resolve({ told, left: all.length - closedAtLimit, closedAtLimit });
  }

  function stop(): void {
    clearTimeout(timer);
    clearTimeout(limit);
    next = all.length;
  }

  const limit = setTimeout(closeRest, plan.limitMs);
  const lettingGo: LettingGo = { told: () => void told++, gone, stop, done };
  queueMicrotask(() => {
    tellDue();
    gone();
  });
  return lettingGo;
}
