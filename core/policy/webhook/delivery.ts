// Names what a policy knows of a delivery: its event, its endpoint, the attempts made and when it is due.

/** An event as every endpoint gets it. */
export type Message = {
  readonly id: string;
  readonly topic: string;
  readonly body: string;
  readonly bodyBytes: number;
};

/** A delivery that is pending: attempts are made until it is settled. */
export type Task = {
  readonly id: number;
  /** The number that the store has for the endpoint. */
  readonly endpoint: number;
  readonly message: Message;
  /** Attempts made. */
  readonly attempts: number;
  /** Those of them before it was replayed: the schedule starts again after them. */
  readonly spent: number;
  readonly createdMs: number;
  /** When it became, or becomes, due. */
  readonly dueMs: number;
};
