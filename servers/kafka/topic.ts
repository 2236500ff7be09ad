// Defines what a client of Kafka must offer, so that another one can replace the one here: to write into a
// partition of a topic, and to read all of it from a given place.

export type KafkaMessage = {
  readonly offset: number;
  readonly key: string | undefined;
  readonly value: string;
};

/**
 * `away`: nothing was written. `refused`: nothing was, and nothing would be another time. `unknown`: it may
 * have been.
 */
export class KafkaWriteError extends Error {
  readonly kind: 'away' | 'refused' | 'unknown';
  constructor(kind: KafkaWriteError['kind'], why: string) {
    super(why);
    this.kind = kind;
  }
}

export type KafkaPartition = {
  /**
   * Writes messages behind one another, as a whole. Resolves when all replicas that are in step have them.
   * Rejects with KafkaWriteError.
   */
  write(messages: readonly { key: string | undefined; value: string }[]): Promise<void>;
  /**
   * Hands out messages in their order, from the place that `from` says whenever it begins again; some may
   * come twice. Begins again by itself after any trouble, until it is closed.
   * @param take must not throw
   */
  read(from: () => number, take: (message: KafkaMessage) => void): void;
  /** Waits a moment for what is under way. */
  close(): Promise<void>;
};
