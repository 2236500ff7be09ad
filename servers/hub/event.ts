// Defines what a hub takes in and hands out.

/** One event that a hub has numbered. `json` is its envelope as sent (docs/wire.md), without a line end. */
export type HubEvent = {
  /** `EPOCH-OFFSET`, which is also the cursor behind this event. */
  readonly id: string;
  /** Its number in the log, over all topics, from 1. */
  readonly offset: number;
  readonly topic: string;
  /** Its number in its topic, from 1. */
  readonly seq: number;
  readonly json: string;
};

/** What the publisher says of an event besides its body. What is missing is taken from what came after it. */
export type Stamps = { plannedUs?: number; sentUs?: number; crc?: number };

/** Gets each event of the topics that `whom` subscribed to. */
export type Listener<Whom> = (event: HubEvent, whom: Whom) => void;
