// Keeps which messages of a partition are under way. Kafka knows of a group only from where it goes on, so
// that is the lowest message that is not finished; those behind it that are finished come again after a
// crash.

export type Offsets = {
  /** @returns false when it was taken before */
  take(offset: number): boolean;
  /** It need not be handed out again. Of one that was not taken, nothing happens. */
  finish(offset: number): void;
  /** From where the group goes on: all before is finished. Undefined before the first. */
  lowest(): number | undefined;
  /** The one behind the last that was taken. Undefined before the first. */
  next(): number | undefined;
};

export function createOffsets(): Offsets {
  // In the order in which they were taken, which is ascending.
  const open = new Set<number>();
  let from: number | undefined;
  let next: number | undefined;
  return {
    take(offset) {
      if (from !== undefined && next !== undefined && offset >= from && offset < next) return false;
      if (from === undefined || offset < from) {
        // The partition begins from the start: its topic was made again, or lost its end.
        open.clear();
        from = offset;
      }
      next = offset + 1;
      open.add(offset);
      return true;
    },
    finish: (offset) => void open.delete(offset),
    lowest: () => open.values().next().value ?? next,
    next: () => next,
  };
}
