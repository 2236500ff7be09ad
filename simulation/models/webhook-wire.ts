// Computes how many bytes requests of a webhook sender and answers of its receivers take on the wire, from
// what servers/webhook/sending/ and load/webhook/ write. Numbers that differ have the length that they mostly
// have.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import { answerFields, digits, headBytes } from './wire-sizes.ts';

const seconds = '1795435200';
const hex = 'f'.repeat(64);

/** The fields by which a scheme signs, with values as long as theirs. The real ones need keys (Node's). */
const signed: Record<PatternOptions<'webhook'>['scheme'], (id: string, topic: string) => string[]> = {
  standard: (id) => [
    `webhook-id: ${id}`,
    `webhook-timestamp: ${seconds}`,
    `webhook-signature: v1,${'='.repeat(44)}`,
  ],
  'standard-ed25519': (id) => [
    `webhook-id: ${id}`,
    `webhook-timestamp: ${seconds}`,
    `webhook-signature: v1a,${'='.repeat(88)}`,
  ],
  stripe: () => [`stripe-signature: t=${seconds},v1=${hex}`],
  github: (id, topic) => [
    `x-hub-signature-256: sha256=${hex}`,
    `x-github-delivery: ${id}`,
    `x-github-event: ${topic}`,
  ],
  slack: () => [`x-slack-signature: v0=${hex}`, `x-slack-request-timestamp: ${seconds}`],
};

export type Sent = {
  /** Of the event's text. */
  bodyBytes: number;
  /** Of its id and of its topic's name. */
  idBytes: number;
  topicBytes: number;
};

/**
 * How many bytes a request has at the first attempt, its body among them.
 * @param pathBytes of the receiver's number, which its address ends with
 */
export function createRequestBytes(
  scheme: PatternOptions<'webhook'>['scheme'],
  pathBytes: number,
): (sent: Sent) => number {
  const headOf = (id: string, topic: string) =>
    headBytes(
      'POST /hook/ HTTP/1.1',
      'content-type: application/json',
      'content-length: ',
      ...signed[scheme](id, topic),
      'pushbench-attempt: 1',
      'Host: 127.0.0.1:40000',
      'Connection: keep-alive',
    );
  const bare = headOf('', '');
  const [ids, topics] = [headOf('i', '') - bare, headOf('', 't') - bare];
  return ({ bodyBytes, idBytes, topicBytes }) =>
    bare + pathBytes + digits(bodyBytes) + ids * idBytes + topics * topicBytes + bodyBytes;
}

/** Reasons by status, as Node has them; of others the length of a usual one. */
const reasons: Readonly<Record<number, string>> = {
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  410: 'Gone',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const answers = new Map<number, number>();

export function answerBytes(status: number): number {
  const known = answers.get(status);
  if (known !== undefined) return known;
  const head = [`HTTP/1.1 ${status} ${reasons[status] ?? 'Internal Error'}`, ...answerFields('keep-alive')];
  // What has a body has an empty one, in chunks.
  const bytes = status === 204 ? headBytes(...head) : headBytes(...head, 'Transfer-Encoding: chunked') + 5;
  answers.set(status, bytes);
  return bytes;
}

/** The mean of the digits of so many numbers from 0 on. */
export function meanDigits(numbers: number): number {
  let sum = 0;
  for (let from = 0, length = 1; from < numbers; length++) {
    const to = Math.min(numbers, 10 ** length);
    sum += (to - from) * length;
    from = to;
  }
  return sum / numbers;
}

/** How much longer a request is at a later attempt. */
export function laterBytes(attempt: number): number {
  return digits(attempt) - 1;
}
