// Counts what became of the requests that a receiver got.

export type ReceiverCounts = {
  /** Acted upon. */
  accepted: number;
  /** Recognised repetitions: answered 204, not acted upon. */
  repeated: number;
  /** Came while the first attempt was being acted upon; told to try again. */
  underWay: number;
  /** Not signed as they should be, or not in time. */
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
