// Waits until a client that has failed may come back, and reports who gives up. When that is, is decided in
// core/policy/client/reconnect.ts.

import { notBefore } from '../../core/base/clock.ts';
import { longestAskedMs, takeWaitMs, type Comeback } from '../../core/policy/client/reconnect.ts';
import type { LoadContext } from '../pattern.ts';

/**
 * The client has failed: calls `comeBack` when it may try again.
 * @returns ends the wait; undefined when the client gives up, which is reported as the problem `gave-up`
 */
export function comeBackLater(
  {
    reconnect,
    random,
    sink,
  }: Pick<LoadContext, 'reconnect' | 'random'> & {
    sink: Pick<LoadContext['sink'], 'problem'>;
  },
  client: Comeback,
  comeBack: () => void,
): (() => void) | undefined {
  const waitMs = takeWaitMs(client, reconnect, random, performance.now());
  if (waitMs !== undefined) return notBefore(waitMs, comeBack);
  sink.problem('gave-up', `a client gave up, as ${whyGaveUp(client, reconnect.policy)}`);
  return undefined;
}

function whyGaveUp({ ended, failures }: Comeback, policy: string | undefined): string {
  switch (ended) {
    case 'tried':
      return `${policy} tries no more than ${failures} times`;
    case 'refused':
      return `${policy} does not come back after an answer that is not a stream`;
    default:
      return `the server asked it to stay away for more than ${longestAskedMs / 60_000} min`;
  }
}
