// Holds what a publisher over Redis has in hand: requests that wait, events that are drafts, and the batch
// whose fate is unknown.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import type { Hub, Stamps } from '../../hub/hub.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { Batches } from './batch.ts';
import type { RedisLink } from './link.ts';

/** `delivery`: of a message for one endpoint, which has no number of its own. */
export type Answer = { id: string; seq: number; delivery?: number };

/** A request that waits for its batch. */
export type Waiting = PromiseWithResolvers<Answer> & {
  readonly bytes: number;
  /** An event to be numbered, or a message for one endpoint alone. */
  readonly what:
    | { kind: 'event'; topic: string; body: string; stamps: Stamps; key: string | undefined }
    | { kind: 'message'; message: Message; endpoint: WebhookEndpoint };
};

export type PublishingOptions = {
  readonly hub: Hub;
  readonly link: RedisLink;
  /** Of Redis, for people. */
  readonly host: string;
  readonly batches: Batches;
  readonly eventKey: (id: string) => string;
  readonly idempotencyKey: (key: string) => string;
  readonly nowMs: () => number;
  /** Resolves when endpoints that were changed here are in Redis, and the copy here is what Redis has. */
  readonly endpointsReady: () => Promise<void>;
  /** Whether deliveries may be made for it: Redis has it. */
  readonly isStored: (endpoint: WebhookEndpoint) => boolean;
  /** @throws RequestError 503 when the store was emptied */
  readonly check: () => void;
  /** Called when a batch finds that the store was emptied. */
  readonly emptied: () => unknown;
  /** Called with each message that is stored. */
  readonly stored: (message: Message) => void;
};

export type Publishing = PublishingOptions & {
  waiting: Waiting[];
  /** The token of the batch before, or of the fence that took its place; '' before the first. */
  follows: string;
  /** The token of a batch whose answer was lost: until it is settled nothing is numbered. */
  unsettled: string | undefined;
  /** Rounds are being made. */
  pumping: Promise<void> | undefined;
  closed: boolean;
  /** Events that are none yet, by id. */
  readonly drafted: Map<string, PromiseWithResolvers<void>>;
  /** Those of the batch under way. */
  draftIds: string[];
};

export function newPublishing(options: PublishingOptions): Publishing {
  return {
    ...options,
    waiting: [],
    follows: '',
    unsettled: undefined,
    pumping: undefined,
    closed: false,
    drafted: new Map(),
    draftIds: [],
  };
}

/** The drafts become nothing; their numbers go to the next events. */
export function forget(p: Publishing): void {
  p.hub.drop();
  for (const id of p.draftIds) release(p, id);
  p.draftIds = [];
}

/** The drafts become events. */
export function takeAll(p: Publishing): void {
  p.draftIds = [];
  p.hub.take();
}

/** Lets go on who waits for the event to be one. */
export function release({ drafted }: Publishing, id: string): void {
  drafted.get(id)?.resolve();
  drafted.delete(id);
}
