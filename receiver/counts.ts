// Counts the requests of a receiver by their outcome.

export type ReceiverCounts = {
  /** Processed. */
  accepted: number;
  /** Recognised repetitions: answered 204, not processed. */
  repeated: number;
  /** Arrived while the first attempt was being processed; told to try again. */
  underWay: number;
  /** With a wrong signature or time. */
  refused: number;
  /** Too large, cut off, read by others before, or with a content coding. */
  unread: number;
  /** `onDelivery` threw or answered with an error; or the store or the clock is broken. */
  failed: number;
  /** `onDelivery` or the store took longer than `timeoutMs`. */
  timedOut: number;
  /** Slack asked whether this address is ours. */
  challenged: number;
};

export function noCounts(): ReceiverCounts {
  return {
    accepted: 0,
    repeated: 0,
    underWay: 0,
    refused: 0,
    unread: 0,
    failed: 0,
    timedOut: 0,
    challenged: 0,
  };
}
