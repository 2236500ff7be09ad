// Defines what is asked of a client of Kafka where several servers share the messages of topics, so that
// another client can take the place of the one here: to write, and to read the partitions that the group
// deals out to this member. What the group has finished is told by `commit`; the member that gets a partition
// next goes on from there.

export type KafkaPlace = { readonly topic: string; readonly partition: number };

/** Where one goes on in a partition. */
export type KafkaOffset = KafkaPlace & { readonly offset: number };

export type KafkaRecord = {
  readonly topic: string;
  readonly value: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

export type GroupMessage = {
  readonly offset: number;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

export type GroupHandlers = {
  /**
   * From now on this member has these partitions and no others.
   * @returns where to go on in those that it had before; in the others, at the group's place
   */
  assigned(places: readonly KafkaPlace[]): readonly KafkaOffset[];
  /** Must return at once: nothing is read meanwhile, and the group takes the member for dead. */
  take(place: KafkaPlace, messages: readonly GroupMessage[]): void;
  /** The partitions are about to be dealt out again: what is not committed now may come again. */
  dealing(): void;
  /** Reading has failed, and begins again. */
  failed(error: unknown): void;
};

export type KafkaGroup = {
  /** The cluster's name for itself. */
  readonly clusterId: string;
  /**
   * Writes records, which may come in any order. Resolves when all replicas that are in step have them.
   * Rejects with KafkaWriteError (topic.ts), which says whether some may have been written.
   */
  write(records: readonly KafkaRecord[]): Promise<void>;
  /** Joins the group, again after any trouble, and reads until `leave`. */
  read(topics: readonly string[], handlers: GroupHandlers): void;
  /** Fetches nothing of the partition until `resume`. Forgotten when reading begins again. */
  pause(place: KafkaPlace): void;
  resume(place: KafkaPlace): void;
  /**
   * @param offsets all before them is finished
   * @returns false when it was not done because partitions are being dealt out: it is to be tried again
   * @throws what kept Kafka from it
   */
  commit(offsets: readonly KafkaOffset[]): Promise<boolean>;
  /** Leaves the group, so that others get its partitions at once. Waits a moment for that. */
  leave(): Promise<void>;
  /** Waits a moment for what is being written. */
  close(): Promise<void>;
};
