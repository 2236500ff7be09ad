// Judges one request to a listener on 127.0.0.1:8080, for tests of who may use it.

import {
  createJudge,
  type OpenedListener,
  type RequestHead,
  type Verdict,
} from '../../../core/http/access.ts';

export const onLoopback: OpenedListener = { scheme: 'http', address: '127.0.0.1', readers: 'loopback-pages' };

export function judge(
  listener: Partial<OpenedListener>,
  headers: RequestHead['headers'],
  more: Partial<RequestHead> = {},
): Verdict {
  return createJudge({ ...onLoopback, ...listener })({
    method: 'GET',
    httpVersion: '1.1',
    headers: { host: '127.0.0.1:8080', ...headers },
    ...more,
  });
}

/** `served`, `preflight`, or the status of the refusal. */
export function outcome(verdict: Verdict): string {
  return verdict.kind === 'refused' ? String(verdict.status) : verdict.kind;
}
