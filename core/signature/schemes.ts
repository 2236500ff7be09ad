// Lists the signature schemes of webhooks by name. Each is a file beside this one; scheme.ts says what one
// is.

import { github } from './github.ts';
import type { SignatureScheme } from './scheme.ts';
import { slack } from './slack.ts';
import { standardEd25519 } from './standard-ed25519.ts';
import { standardWebhooks } from './standard.ts';
import { stripe } from './stripe.ts';

export const schemeNames = ['standard', 'standard-ed25519', 'stripe', 'github', 'slack'] as const;

export type SchemeName = (typeof schemeNames)[number];

export const schemes: Readonly<Record<SchemeName, SignatureScheme>> = {
  standard: standardWebhooks,
  'standard-ed25519': standardEd25519,
  stripe,
  github,
  slack,
};

/** A new secret of Standard Webhooks. */
export const newSecret = standardWebhooks.newSecret;

export { standardWebhooks };
export type {
  Headers,
  SignatureFailure,
  SignatureScheme,
  SignedMessage,
  Verification,
  VerifyOptions,
} from './scheme.ts';
