// Decides in which topic a work waits for its time. Kafka hands out the messages of a partition in their
// order, so a topic has works that wait equally long: those in front are due first. A long wait goes through
// the topics several times, the rest of one through those of shorter waits.

/** The waits that have a topic each, in milliseconds, ascending. */
export const tiersMs = [250, 1000, 5000, 30_000, 120_000, 600_000, 3_600_000] as const;

/**
 * How exact a wait is: a work may be so much earlier due than its topic's wait says, and then stands behind
 * others that are due later.
 */
export const resolutionMs = tiersMs[0];

/** `untilMs`: when it leaves the topic. */
export type Delay = { readonly tierMs: number; readonly untilMs: number };

/** The topic in which a work goes on waiting that is due at `dueMs`. Times are milliseconds since 1970. */
export function delayUntil(nowMs: number, dueMs: number): Delay {
  const leftMs = dueMs - nowMs;
  const tierMs = tiersMs.findLast((one) => one <= leftMs + resolutionMs) ?? tiersMs[0];
  return { tierMs, untilMs: Math.min(nowMs + tierMs, dueMs) };
}

/** @param topic of the works that are due */
export function delayTopic(topic: string, tierMs: number): string {
  if (tierMs < 1000) return `${topic}.wait-${tierMs}ms`;
  return tierMs < 60_000 ? `${topic}.wait-${tierMs / 1000}s` : `${topic}.wait-${tierMs / 60_000}min`;
}

/** Where exhausted deliveries and messages of other programs go. */
export function deadTopic(topic: string): string {
  return `${topic}.dead`;
}

/** The topics that servers read: of works that are due, and of those that wait. */
export function readTopics(topic: string): string[] {
  return [topic, ...tiersMs.map((tierMs) => delayTopic(topic, tierMs))];
}
