// Decides what a receiver's answer means for a delivery. Pure.

/** What came of a request to a receiver, as far as policies look at it. */
export type ReceiverAnswer =
  /** `retryAfter`: the header as it came. */
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string | undefined }
  /** There was no whole answer: refused, reset, timed out, not HTTP. */
  | { readonly kind: 'failed'; readonly reason: string; readonly timedOut: boolean };

/** 2xx is success and all else is not, redirects among it (Standard Webhooks 1.0.0). */
export function isSuccess(answer: ReceiverAnswer): boolean {
  return answer.kind === 'answered' && answer.status >= 200 && answer.status < 300;
}

/** 410 asks to be called never again (Standard Webhooks 1.0.0). */
export function isGone(answer: ReceiverAnswer): boolean {
  return answer.kind === 'answered' && answer.status === 410;
}

/** Whether the receiver may have too much to do: it timed out or answered 429. */
export function isThrottled(answer: ReceiverAnswer): boolean {
  return answer.kind === 'answered' ? answer.status === 429 : answer.timedOut;
}

/** What went wrong, for people. */
export function failureOf(answer: ReceiverAnswer): string {
  return answer.kind === 'answered' ? `answered ${answer.status}` : answer.reason;
}
