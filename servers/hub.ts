// The hub that all patterns stand on: topics, a bounded history per topic, publish and subscribe.
// It knows no protocol and does no I/O.

/** One accepted event. `json` is the envelope as it stands on the wire (docs/wire.md), without a line end. */
export type HubEvent = {
  readonly id: string;
  readonly offset: number;
  readonly topic: string;
  readonly seq: number;
  readonly json: string;
};

export type Stamps = { plannedUs?: number; sentUs?: number; crc?: number };

export type Hub = {
  readonly epoch: string;
  /** Events accepted so far. */
  published(): number;
  /** The cursor of the log's end: what comes after it is new. */
  cursor(): string;
  /** Takes an event, keeps it in the topic's history, and calls the topic's listeners in the order they came. */
  publish(topic: string, body: string, stamps: Stamps): HubEvent;
  /** Calls `listener` for each event on any of the topics from now on. @returns the function that ends it */
  subscribe(topics: readonly string[], listener: (event: HubEvent) => void): () => void;
  /**
   * The events after `cursor` on the topics, in log order. `lost` when some of them are no longer held, or the
   * cursor is of another epoch; the events are then all that is still held.
   */
  since(topics: readonly string[], cursor: string): { events: HubEvent[]; lost: boolean };
  /** The cursor of the newest event on any of the topics, `EPOCH-0` when there is none. */
  newest(topics: readonly string[]): string;
};
