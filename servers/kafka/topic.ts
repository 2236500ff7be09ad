// Defines what a client of Kafka must offer, so that another one can replace the one here: to write into a
// partition of a topic, and to read all of it from a given place.

export type KafkaMessage = {
  readonly offset: number;
  readonly key: string | undefined;
  readonly value: string;
};

/**
 * Why a write failed. `away`: no request to write has left, so nothing was written. `refused`: it is too
 * large, now and another time; of what was for several partitions, some may have been written. `unknown`:
 * some or all may have been written.
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
