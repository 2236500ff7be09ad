// Defines and checks the answer to a sender.

import { kindOf, requireNames, requireNumber } from '../core/base/checked-options.ts';

export type Answer = {
  /** 200 to 599. */
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** None with 204, 205 and 304. */
  body?: string | Uint8Array;
};

const withoutBody = [204, 205, 304];

/** These frame the answer, so the server sets them. */
const framing = ['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade'];

/**
 * Checks the answer of an application, so that it can be sent unchanged.
 * @throws TypeError or RangeError for an invalid answer
 */
export function checkedAnswer(answer: Answer): Answer {
  requireNames('answer', answer, ['status', 'headers', 'body']);
  const { status, body } = answer;
  requireNumber('status', status, { least: 200, most: 599, whole: true });
  const headers = new globalThis.Headers(answer.headers); // throws for invalid headers
  const wrong = framing.find((name) => headers.has(name));
  if (wrong !== undefined) throw new TypeError(`leave the header ${wrong} out; the server sends its own`);
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array))
    throw new TypeError(`body must be a text or bytes; it is ${kindOf(body)}`);
  if (body !== undefined && withoutBody.includes(status))
    throw new TypeError(`an answer with status ${status} has no body`);
  return { status, headers: Object.fromEntries(headers), ...(body !== undefined && { body }) };
}

/** An answer that says why, as JSON. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers?: Record<string, string>,
): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify({ error: code, message })}\n`,
  };
}
