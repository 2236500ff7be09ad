// Gives subscribers the token that their server wants with every request.

import type { Endpoint } from '../../core/protocol/control.ts';
import { createTokens, subscriberName } from '../../core/secrets/token.ts';

/** @returns the fields of a subscriber's requests; none where the server wants no token */
export function tokenFields({
  tokenSeed,
}: Pick<Endpoint, 'tokenSeed'>): (subscriber: number) => Readonly<Record<string, string>> {
  if (tokenSeed === undefined) return () => ({});
  const tokens = createTokens(tokenSeed);
  return (subscriber) => ({ authorization: `Bearer ${tokens.of(subscriberName(subscriber))}` });
}
