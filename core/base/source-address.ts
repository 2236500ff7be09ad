// Decides which loopback address a subscriber connects from, so that no address runs out of ports.

/** Subscribers that one address carries: below the 28,232 ephemeral ports that Linux gives by default. */
export const subscribersPerAddress = 25_000;

/**
 * 127.0.0.1 for the trial's first 25,000 subscribers, 127.0.0.2 for the next, and so on: each has its own
 * ephemeral ports.
 */
export function sourceAddress(subscriber: number): string {
  return `127.0.0.${1 + (Math.floor(subscriber / subscribersPerAddress) % 250)}`;
}
