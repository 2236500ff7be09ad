// Remembers the requests that came, the newest ones, and which ids have come before: an id that comes again
// is the same delivery, sent again.

import type { Headers, SchemeName } from '../../core/signature/schemes.ts';
import type { BodyView } from './body-view.ts';
import type { Verdict } from './check.ts';

/** A request as it is shown: nothing in it is confidential any more (hidden.ts). */
export type Exchange = {
  /** From 1. */
  number: number;
  at: string;
  method: string;
  path: string;
  /** As they came, in their order. */
  headers: [name: string, value: string][];
  body: BodyView;
  signature: Verdict;
  /** What a repetition is recognised by, and where it stands. */
  id?: string;
  idFrom?: string;
  /** The first request that came with this id. */
  repeats?: number;
  /** Whether the receiver has processed it; a repetition of a processed request is only answered. */
  isActedUpon: boolean;
  /** What it was answered, for people. */
  answer: string;
};

export type Counts = {
  received: number;
  actedUpon: number;
  repeated: number;
  verified: number;
  /** Signed, and wrongly. */
  wrong: number;
  /** By the gate in front: a Host or an Origin that the receiver was not opened for. */
  turnedAway: number;
};

const mostExchanges = 200;
const mostIds = 10_000;
/** Characters of an id that tell it from others. */
export const longestId = 300;

export type Exchanges = {
  counts: Counts;
  /** Requests of this scheme that have verified. */
  verified(scheme: SchemeName): number;
  /** Newest first, those above this number. */
  since(number: number): Exchange[];
  /** Adds the newest. */
  add(exchange: Exchange): void;
  /** What is known of an id; it counts as seen from now on, by this request. */
  seen(id: string, number: number): { first: number; isActedUpon: boolean };
  /** The request was processed: the next one with this id is a repetition. */
  actedUpon(id: string): void;
  clear(): void;
};

export function createExchanges(): Exchanges {
  let kept: Exchange[] = [];
  const ids = new Map<string, { first: number; isActedUpon: boolean }>();
  const counts: Counts = { received: 0, actedUpon: 0, repeated: 0, verified: 0, wrong: 0, turnedAway: 0 };
  const verified = new Map<SchemeName, number>();
  return {
    counts,
    verified: (scheme) => verified.get(scheme) ?? 0,
    since: (number) => kept.filter((one) => one.number > number).toReversed(),
    add(exchange) {
      kept.push(exchange);
      if (kept.length > mostExchanges) kept.shift();
      counts.received++;
      if (exchange.isActedUpon) counts.actedUpon++;
      if (exchange.repeats !== undefined) counts.repeated++;
      const { signature } = exchange;
      if (signature.kind === 'wrong') counts.wrong++;
      if (signature.kind !== 'verified') return;
      counts.verified++;
      verified.set(signature.scheme, (verified.get(signature.scheme) ?? 0) + 1);
    },
    seen(id, number) {
      const known = ids.get(id) ?? { first: number, isActedUpon: false };
      // What was longest not seen goes first.
      ids.delete(id);
      ids.set(id, known);
      if (ids.size > mostIds) ids.delete(ids.keys().next().value!); // there is one
      return { ...known };
    },
    actedUpon(id) {
      const known = ids.get(id);
      if (known) known.isActedUpon = true;
    },
    clear: () => void (kept = []),
  };
}

/** A header that names a delivery where no scheme does. */
export function keyOf(headers: Headers): { id: string; from: string } | undefined {
  for (const from of ['idempotency-key', 'x-event-id']) {
    const value = headers[from];
    if (typeof value === 'string' && value !== '') return { id: value.slice(0, longestId), from };
  }
  return undefined;
}
