// Lists the problems by which the load side says that it was sent more than it reads. The limit is ours, so
// such a trial says nothing of the server (harness/trial/validity.ts).

/**
 * A line, event, message or frame; the answer to a poll; compressed bytes that wait to be inflated; a
 * webhook. core/event/body-size.ts says how large each may be.
 */
export const tooLargeCodes = [
  'too-long',
  'http-body-too-large',
  'gzip-behind',
  'delivery-too-large',
] as const;
export type TooLargeCode = (typeof tooLargeCodes)[number];

export function isTooLarge({ code }: { code: string }): boolean {
  return (tooLargeCodes as readonly string[]).includes(code);
}
