// Recognises from a request's headers by which scheme it claims to be signed, and when. It believes nothing:
// check.ts holds the signature against a secret.

import type { Headers, SchemeName } from '../../core/signature/schemes.ts';
import { standardNames } from '../../core/signature/standard.ts';

export type Claim = {
  scheme: SchemeName;
  headers: Headers;
  /** Seconds since 1970, where the scheme signs a time and the header holds one. */
  signedAtS: number | undefined;
};

/** What people call each scheme, and the flag that lets it be checked. */
export const schemeWords: Readonly<Record<SchemeName, { title: string; flag: string }>> = {
  standard: { title: 'Standard Webhooks', flag: '--secret whsec_...' },
  'standard-ed25519': { title: 'Standard Webhooks with ed25519', flag: '--secret whpk_... (the public key)' },
  stripe: { title: 'Stripe', flag: "--secret whsec_... (the endpoint's signing secret)" },
  github: { title: 'GitHub', flag: "--secret TEXT (the webhook's secret)" },
  slack: { title: 'Slack', flag: "--secret TEXT (the app's signing secret)" },
};

/** Every scheme that a request has headers of; none for one that is not signed. */
export function claimsOf(headers: Headers): Claim[] {
  const claims = standardClaims(headers);
  const has = (...names: string[]) => names.some((name) => headers[name] !== undefined);
  const claim = (scheme: SchemeName, time?: string) =>
    claims.push({ scheme, headers, signedAtS: secondsOf(time) });
  if (has('stripe-signature')) {
    const [, time] = /(?:^|,)t=(\d+)/.exec(textOf(headers['stripe-signature'])) ?? [];
    claim('stripe', time);
  }
  if (has('x-hub-signature-256', 'x-hub-signature', 'x-github-event')) claim('github');
  if (has('x-slack-signature', 'x-slack-request-timestamp'))
    claim('slack', textOf(headers['x-slack-request-timestamp']));
  return claims;
}

function standardClaims(headers: Headers): Claim[] {
  const { id, timestamp, signature } = standardNames(headers);
  if ([id, timestamp, signature].every((name) => headers[name] === undefined)) return [];
  const entries = textOf(headers[signature]).split(' ');
  const isOf = (version: string) => entries.some((entry) => entry.startsWith(`${version},`));
  const common = { headers, signedAtS: secondsOf(textOf(headers[timestamp])) };
  const asymmetric: Claim[] = isOf('v1a') ? [{ scheme: 'standard-ed25519', ...common }] : [];
  // Without any signature it is the symmetric one that is missed.
  return isOf('v1') || asymmetric.length === 0
    ? [{ scheme: 'standard', ...common }, ...asymmetric]
    : asymmetric;
}

function textOf(value: Headers[string]): string {
  return typeof value === 'string' ? value : '';
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
