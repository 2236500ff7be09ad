// Defines the units and records that transactions.ts writes, and who is told when they are stored.

export type Unit<T> = {
  /** Writes. It may change memory too, as long as `undo` can put it back. */
  work: () => T;
  /** Called when it is stored, before anybody else's code runs. Must not throw. */
  done?: (result: T) => void;
  /** Called when it is refused, after `work` or in the place of it. Must not throw. */
  undo?: () => void;
};

export type Transactions = {
  /** @throws what `work` throws; RequestError 503 when the store did not take it */
  submit<T>(kind: 'publication' | 'change', unit: Unit<T>): Promise<T>;
  /** Writes a record. Within a unit it is part of the unit. Never throws but within a unit. */
  record(apply: () => void): void;
  /** Writes what may be forgotten when the transaction fails. */
  tidy(apply: () => void): void;
  /** Resolves when every record so far is durable. Rejects when it is not, and goes on being tried. */
  committed(): Promise<void>;
  /** Records that could not be stored yet; `Infinity` when reads do not see all of them either. */
  unsaved(): number;
  /** Resolves when no record waits any more. */
  recovered(): Promise<void>;
  /** Writes as many records as it can. @returns how many are lost */
  close(): number;
};
