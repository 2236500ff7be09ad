// Defines what a hub takes in and hands out.

/** One event that a hub has numbered. `json` is its envelope as sent (docs/wire.md), without a line end. */
export type HubEvent = {
  /** `EPOCH-OFFSET`, which is also the cursor behind this event. */
  readonly id: string;
  /** Its number in the log, over all topics, from 1. */
  readonly offset: number;
  readonly topic: string;
  /** Its number in its topic, from 1: the publisher's own where it gave one. */
  readonly seq: number;
  readonly json: string;
};

/** Where an event is: all that its publisher is told. */
export type Place = Pick<HubEvent, 'id' | 'seq'>;

/**
 * What the publisher says of an event besides its body. A time that is missing is taken from what came after
 * it; `seq` is the event's number in its topic, from 1, which the hub counts where it is missing.
 */
export type Stamps = { plannedUs?: number; sentUs?: number; crc?: number; seq?: number };

export type PublishOptions = {
  /** The publisher's own name for the event: the same event is meant when it comes again. */
  key?: string;
};

/** Gets each event of the topics that `subscriber` subscribed to. */
export type Listener<Subscriber> = (event: HubEvent, subscriber: Subscriber) => void;
