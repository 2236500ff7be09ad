// Hands a verified delivery to the application: once, by its id, and within a time, so that a delivery that
// hangs locks neither its id nor its sender.

import { createHash } from 'node:crypto';
import type { Headers } from '../core/signature/schemes.ts';
import { checkedAnswer, type Answer } from './answer.ts';
import type { ReceiverCounts } from './counts.ts';
import type { Delivery } from './delivery.ts';
import type { Problems } from './problems.ts';
import { claimOf, type DeliveryStore } from './store.ts';

export type Verified = { id: string | undefined; headers: Headers; body: Buffer };

export type ActOptions<Event> = {
  store: DeliveryStore;
  timeoutMs: number;
  onDelivery: (delivery: Delivery<Event>) => unknown;
  eventOf: (verified: Verified) => Event;
  counts: ReceiverCounts;
  problems: Problems;
};

/** `key` is what the store knows the delivery by; `late` is aborted when its time is over. */
type Attempt = { verified: Verified; key: string | undefined; isClaimed: boolean; late: AbortController };

/** A claim in the store outlives the time that `onDelivery` has, so that giving it back is never too late. */
const leaseMarginMs = 1000;

const acted: Answer = { status: 204 };

export function createAct<Event>(options: ActOptions<Event>): (verified: Verified) => Promise<Answer> {
  const { store, timeoutMs, counts, problems } = options;

  /** @returns the answer where nothing is to be done */
  async function claim(attempt: Attempt, key: string): Promise<Answer | undefined> {
    const { id } = attempt.verified;
    let state;
    try {
      state = claimOf(await store.begin(key, timeoutMs + leaseMarginMs));
    } catch (error) {
      count(attempt, 'failed');
      const message = 'the receiver cannot tell whether this delivery is new; try again';
      return problems.refuse({ status: 503, code: 'store-failed', message, id, error });
    }
    if (state === 'new') {
      attempt.isClaimed = true;
      return undefined;
    }
    count(attempt, state === 'done' ? 'repeated' : 'underWay');
    if (state === 'done') return acted;
    const message = 'this delivery is being acted upon; how that ends is not known yet';
    return problems.refuse({ status: 409, code: 'under-way', message, id });
  }

  async function handOver(attempt: Attempt): Promise<Answer> {
    const { key, verified, late } = attempt;
    const refused = key === undefined ? undefined : await claim(attempt, key);
    if (refused) return refused;
    if (late.signal.aborted) {
      // The store took so long that the sender has been told to try again; nothing was done yet.
      await giveBack(attempt);
      return acted;
    }
    let answer;
    try {
      answer = await callApplication(options, verified, late.signal);
    } catch (error) {
      count(attempt, 'failed');
      await giveBack(attempt);
      const message = 'the receiver failed at this delivery; try again';
      return problems.refuse({ status: 500, code: 'failed', message, id: verified.id, error });
    }
    const isActed = answer.status < 300;
    count(attempt, isActed ? 'accepted' : 'failed');
    await (isActed ? remember(attempt) : giveBack(attempt));
    return answer;
  }

  /** What ends late was counted as timed out. */
  function count({ late }: Attempt, kind: keyof ReceiverCounts): void {
    if (!late.signal.aborted) counts[kind]++;
  }

  /** It was acted upon, so a store that fails now is not a reason for the sender to try again. */
  async function remember({ key, verified: { id } }: Attempt): Promise<void> {
    try {
      if (key !== undefined) await store.finish(key);
    } catch (error) {
      const message = 'a delivery was acted upon, but its id could not be remembered';
      problems.report({ status: 204, code: 'not-remembered', message, id, error });
    }
  }

  /** Only once: later the claim may be another attempt's. A store that fails frees it with the lease. */
  async function giveBack(attempt: Attempt): Promise<void> {
    if (attempt.key === undefined || !attempt.isClaimed) return;
    attempt.isClaimed = false;
    try {
      await store.forget(attempt.key);
    } catch (error) {
      const message = 'a delivery that failed could not be made new in the store';
      problems.report({ status: 500, code: 'store-failed', message, id: attempt.verified.id, error });
    }
  }

  return async (verified) => {
    const late = new AbortController();
    const attempt: Attempt = { verified, key: keyOf(verified.id), isClaimed: false, late };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timedOut = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => {
        late.abort();
        counts.timedOut++;
        void giveBack(attempt);
        const message = `the receiver did not get done within ${timeoutMs} ms; try again`;
        resolve(problems.refuse({ status: 503, code: 'timed-out', message, id: verified.id }));
      }, timeoutMs);
    });
    try {
      return await Promise.race([handOver(attempt), timedOut]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** @throws whatever the application throws */
async function callApplication<Event>(
  { onDelivery, eventOf }: Pick<ActOptions<Event>, 'onDelivery' | 'eventOf'>,
  verified: Verified,
  signal: AbortSignal,
): Promise<Answer> {
  let own: Answer | undefined;
  let event: { read: Event } | undefined;
  await onDelivery({
    ...verified,
    get event() {
      event ??= { read: eventOf(verified) };
      return event.read;
    },
    signal,
    answer(given) {
      if (own) throw new TypeError('this delivery has its answer already');
      own = checkedAnswer(given);
    },
  });
  return own ?? acted;
}

/** Up to here an id is kept as it is; of a longer one, its hash. */
const longestId = 256;

function keyOf(id: string | undefined): string | undefined {
  if (id === undefined || id.length <= longestId) return id;
  return `sha256:${createHash('sha256').update(id).digest('hex')}`;
}
