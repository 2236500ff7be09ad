// Runs lookups of tokens, a bounded number at once. Those beyond wait in line, and where the line is full,
// or the time is up, the lookup fails at once: a server that promises less than is asked of it stays able to
// answer.

export type LookupRules = {
  /** Under way at once, at most. */
  concurrency: number;
  /** Waiting for their turn, at most. */
  queue: number;
  /** How long one may take, its turn included. */
  withinMs: number;
};

export type Lookup = {
  /** What was found. @throws NotLookedUp, or what the lookup throws */
  readonly found: Promise<boolean>;
  /** Nobody waits for it any more. One that waits for its turn is given up. */
  drop(): void;
};

export type Lookups = {
  ask(name: string): Lookup;
  /** Waiting for their turn. */
  waiting(): number;
  /** Fails whatever waits, and all that comes. */
  close(): void;
};

export class NotLookedUp extends Error {
  override readonly name = 'NotLookedUp';
  readonly code: 'auth-full' | 'auth-late' | 'closing';

  constructor(code: NotLookedUp['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const goingAway = () => new NotLookedUp('closing', 'the server is going away');

type Waiting = { name: string; settle: PromiseWithResolvers<boolean>; timer: NodeJS.Timeout };

/** @param look asks whether the token of that name holds */
export function boundLookups(look: (name: string) => Promise<boolean>, rules: LookupRules): Lookups {
  const { concurrency, queue, withinMs } = rules;
  /** In the order in which they came. */
  const line = new Set<Waiting>();
  let underWay = 0;
  let closed = false;

  function begin(one: Waiting): void {
    underWay++;
    const { resolve, reject } = one.settle;
    // Behind its time it has failed for who asked, and keeps its place until it ends.
    void look(one.name)
      .then((found) => (closed ? reject(goingAway()) : resolve(found)), reject)
      .finally(() => {
        clearTimeout(one.timer);
        underWay--;
        beginNext();
      });
  }

  function beginNext(): void {
    const [next] = line;
    if (!next || underWay >= concurrency) return;
    line.delete(next);
    begin(next);
  }

  function late(one: Waiting): void {
    line.delete(one);
    one.settle.reject(new NotLookedUp('auth-late', `no lookup of the token ended within ${withinMs} ms`));
  }

  return {
    ask(name) {
      const settle = Promise.withResolvers<boolean>();
      if (closed || (underWay >= concurrency && line.size >= queue)) {
        settle.reject(
          closed ? goingAway() : new NotLookedUp('auth-full', 'too many tokens wait to be looked up'),
        );
        return { found: settle.promise, drop() {} };
      }
      const one: Waiting = { name, settle, timer: setTimeout(() => late(one), withinMs).unref() };
      if (underWay < concurrency) begin(one);
      else line.add(one);
      return {
        found: settle.promise,
        drop() {
          if (!line.delete(one)) return;
          clearTimeout(one.timer);
          settle.resolve(false); // nobody hears it
        },
      };
    },
    waiting: () => line.size,
    close() {
      closed = true;
      for (const { settle, timer } of line) {
        clearTimeout(timer);
        settle.reject(goingAway());
      }
      line.clear();
    },
  };
}
