// Who gets webhooks: the registered endpoints, how a registration is written and checked, and how the list shows
// them. Secrets go in and are never shown again.

import { randomBytes, type KeyObject } from 'node:crypto';
import type { RequestOptions } from 'node:http';
import { z } from 'zod';
import { topicPattern } from '../../core/envelope.ts';
import { messageOf } from '../../core/errors.ts';
import type { SignatureScheme } from '../../core/signature.ts';
import { RequestError } from '../request.ts';
import type { Guard } from './guard.ts';
import { targetOf } from './sender.ts';

export type WebhookEndpoint = {
  readonly id: string;
  readonly url: string;
  readonly target: RequestOptions;
  readonly topics: readonly string[];
  readonly keys: readonly KeyObject[];
  /** Why it gets nothing any more; undefined while it does. */
  disabled: string | undefined;
  delivered: number;
  /** Events that were given up after the last attempt. */
  givenUp: number;
  lastFailure: string | undefined;
  /** Ends its subscriptions. */
  unsubscribe: () => void;
};

/** What a registration is held against. */
export type RegistrationRules = { scheme: SignatureScheme; guard: Guard };

/** What POST /webhooks takes. */
const registration = ({ scheme, guard }: RegistrationRules) => z.strictObject({
  url: z.string().max(2048).transform((text, context) => {
    const url = URL.parse(text);
    const problem = !url ? 'not a URL'
      : url.protocol !== 'http:' && url.protocol !== 'https:' ? 'neither http nor https'
      : url.username || url.password ? 'a user name or password does not belong into it'
      : guard.refusalOf(url.hostname);
    if (url && !problem) return url;
    context.addIssue({ code: 'custom', message: problem ?? 'not a URL' });
    return z.NEVER;
  }),
  events: z.array(z.string().regex(topicPattern, { error: 'a topic name of letters, digits and . _ : ~ -' })).min(1).max(1000)
    .transform((topics) => [...new Set(topics)]),
  secret: z.string().optional().transform((text, context) => {
    const secret = text ?? scheme.newSecret();
    try {
      return { key: scheme.key(secret), shown: text === undefined ? { secret: scheme.receiverSecret(secret) } : {} };
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  }),
});

/**
 * Checks a registration and makes an endpoint of it, not yet subscribed to anything.
 * @returns `shown`: the secret as the receiver needs it, when it was made here; it is told this once
 * @throws RequestError 422 with everything that is wrong
 */
export function newEndpoint(body: unknown, rules: RegistrationRules): { endpoint: WebhookEndpoint; shown: { secret?: string } } {
  const parsed = registration(rules).safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
    throw new RequestError(422, 'bad-registration', problems.join('; '));
  }
  const { url, events, secret } = parsed.data;
  const endpoint: WebhookEndpoint = {
    id: `ep_${randomBytes(9).toString('base64url')}`,
    url: url.href,
    target: targetOf(url),
    topics: events,
    keys: [secret.key],
    disabled: undefined,
    delivered: 0,
    givenUp: 0,
    lastFailure: undefined,
    unsubscribe: () => {},
  };
  return { endpoint, shown: secret.shown };
}

/** An endpoint as the list shows it. */
export function endpointRow({ id, url, topics, disabled, delivered, givenUp, lastFailure }: WebhookEndpoint, pending: number) {
  return { id, url, events: topics, disabled, pending, delivered, givenUp, lastFailure };
}
