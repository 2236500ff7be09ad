// Reads the secrets that signatures are checked with: each is taken for every scheme that it is a secret of,
// unless a scheme was named.

import type { KeyObject } from 'node:crypto';
import { messageOf } from '../../core/base/errors.ts';
import { schemeNames, schemes, type SchemeName } from '../../core/signature/schemes.ts';

export type Secrets = {
  /** As they were given, without white space around them. */
  readonly texts: readonly string[];
  readonly keys: Readonly<Record<SchemeName, readonly KeyObject[]>>;
};

/** @throws UserError when one of them is none of the scheme that was named */
export function readSecrets(given: readonly string[], only?: SchemeName): Secrets {
  const texts = given.map((text) => text.trim());
  const keysOf = (name: SchemeName): readonly KeyObject[] => {
    if (only !== undefined) return only === name ? texts.map((text) => schemes[name].key(text)) : [];
    return texts.flatMap((text) => keyOf(name, text) ?? []);
  };
  return {
    texts,
    keys: {
      standard: keysOf('standard'),
      'standard-ed25519': keysOf('standard-ed25519'),
      stripe: keysOf('stripe'),
      github: keysOf('github'),
      slack: keysOf('slack'),
    },
  };
}

/** Why none of the secrets is one of this scheme, in the scheme's own words. */
export function whyNone(name: SchemeName, { texts }: Secrets): string {
  try {
    for (const text of texts) schemes[name].key(text);
    return 'there is none';
  } catch (error) {
    return messageOf(error);
  }
}

function keyOf(name: SchemeName, text: string): KeyObject | undefined {
  try {
    return schemes[name].key(text);
  } catch {
    return undefined;
  }
}

export function isSchemeName(text: string): text is SchemeName {
  return schemeNames.some((name) => name === text);
}
