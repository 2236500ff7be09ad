// Holds the registered endpoints: checks a registration, makes an endpoint of it, changes it, and makes its
// entry in the list. Secrets go in and are never shown again.

import { randomBytes, type KeyObject } from 'node:crypto';
import type { RequestOptions } from 'node:http';
import { z } from 'zod';
import { messageOf } from '../../core/base/errors.ts';
import type { SignatureScheme } from '../../core/signature/schemes.ts';
import { RequestError } from '../http/request.ts';
import { breakerState, newBreaker, type Breaker } from '../../core/policy/webhook/breaker.ts';
import { topicList, type EndpointChange, type EndpointView, type Rotation } from './api.ts';
import type { StoredEndpoint } from './records.ts';
import { keyRing, replaceSecret, type DatedSecret } from './secrets.ts';
import type { Guard } from './sending/guard.ts';
import { targetOf } from './sending/sender.ts';

export type WebhookEndpoint = {
  /** What the store keeps of it. */
  readonly stored: StoredEndpoint;
  readonly id: string;
  readonly url: string;
  readonly target: RequestOptions;
  topics: readonly string[];
  /** The keys to sign with at a time; new ones after a rotation. */
  keysAt: (nowMs: number) => readonly KeyObject[];
  readonly breaker: Breaker | undefined;
  /** Why it gets nothing any more; undefined while it does. */
  disabled: string | undefined;
  delivered: number;
  /** Events that were given up after the last attempt. */
  givenUp: number;
  lastFailure: string | undefined;
  /** Ends its subscriptions. */
  unsubscribe: () => void;
};

/** A registration as the store keeps it. */
type Config = { url: string; events: readonly string[]; secrets: readonly DatedSecret[] };

/** What a registration is checked by. */
export type RegistrationRules = {
  scheme: SignatureScheme;
  guard: Guard;
  /** Whether endpoints have a circuit breaker. */
  breaker: boolean;
};

/** What POST /webhooks takes. */
const registration = ({ scheme, guard }: RegistrationRules) =>
  z.strictObject({
    url: z
      .string()
      .max(2048)
      .transform((text, context) => {
        const url = URL.parse(text);
        const problem = !url
          ? 'not a URL'
          : url.protocol !== 'http:' && url.protocol !== 'https:'
            ? 'neither http nor https'
            : url.username || url.password
              ? 'it may not contain a user name or password'
              : guard.refusalOf(url.hostname);
        if (url && !problem) return url;
        context.addIssue({ code: 'custom', message: problem ?? 'not a URL' });
        return z.NEVER;
      }),
    events: topicList,
    secret: z
      .string()
      .optional()
      .transform((text, context) => {
        try {
          return secretOf(text, scheme);
        } catch (error) {
          context.addIssue({ code: 'custom', message: messageOf(error) });
          return z.NEVER;
        }
      }),
  });

/**
 * The secret that was given, or a new one, which is shown.
 * @throws UserError when the one given is none
 */
function secretOf(
  given: string | undefined,
  scheme: SignatureScheme,
): { secret: string; shown: { secret?: string } } {
  const secret = given ?? scheme.newSecret();
  scheme.key(secret);
  return { secret, shown: given === undefined ? { secret: scheme.receiverSecret(secret) } : {} };
}

/**
 * Checks a registration and makes an endpoint of it, not yet subscribed to anything.
 * @returns `shown`: the secret as the receiver needs it, when it was made here; it is told this once
 * @throws RequestError 422 with everything that is wrong
 */
export function newEndpoint(
  body: unknown,
  rules: RegistrationRules,
  nowMs: number,
): { endpoint: WebhookEndpoint; shown: { secret?: string } } {
  const parsed = registration(rules).safeParse(body);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join('.')}: ${message}`,
    );
    throw new RequestError(422, 'bad-registration', problems.join('; '));
  }
  const { url, events, secret } = parsed.data;
  const config: Config = { url: url.href, events, secrets: [{ secret: secret.secret }] };
  const id = `ep_${randomBytes(9).toString('base64url')}`;
  const stored = {
    key: 0,
    id,
    config: JSON.stringify(config),
    createdMs: nowMs,
    disabled: undefined,
    failures: 0,
    failingSinceMs: undefined,
  };
  return { endpoint: endpointOf(stored, rules), shown: secret.shown };
}

/** The endpoint that the store keeps, not yet subscribed to anything. */
export function endpointOf(
  stored: StoredEndpoint,
  { scheme, breaker }: Pick<RegistrationRules, 'scheme' | 'breaker'>,
): WebhookEndpoint {
  const { url, events, secrets } = JSON.parse(stored.config) as Config; // written below and above alone
  return {
    stored,
    id: stored.id,
    url,
    target: targetOf(new URL(url)),
    topics: events,
    keysAt: keyRing(secrets, scheme),
    breaker: breaker ? newBreaker() : undefined,
    disabled: stored.disabled,
    delivered: 0,
    givenUp: 0,
    lastFailure: undefined,
    unsubscribe: () => {},
  };
}

export function removedMeanwhile(id: string): RequestError {
  return new RequestError(404, 'no-webhook', `the webhook ${id} was removed meanwhile`);
}

/** @throws RequestError 404 when it was removed while somebody waited to change it */
export function presentOf({ id, disabled }: WebhookEndpoint): void {
  if (disabled === 'deleted') throw removedMeanwhile(id);
}

/** @throws RequestError 409 when it gets no deliveries */
export function enabledOf(endpoint: WebhookEndpoint | undefined): asserts endpoint {
  if (!endpoint) throw new RequestError(409, 'disabled', 'the endpoint is deleted');
  if (endpoint.disabled !== undefined)
    throw new RequestError(
      409,
      'disabled',
      `the endpoint is disabled (${endpoint.disabled}); enable it first`,
    );
}

/** A copy to edit, so that the endpoint stays as it is until the store has the edit. */
export function copyOf(endpoint: WebhookEndpoint): WebhookEndpoint {
  return { ...endpoint, stored: { ...endpoint.stored } };
}

/** Makes the endpoint what an edited copy of it is. */
export function takeEdit(
  endpoint: WebhookEndpoint,
  { stored, topics, keysAt, disabled }: WebhookEndpoint,
): void {
  Object.assign(endpoint.stored, stored);
  endpoint.topics = topics;
  endpoint.keysAt = keysAt;
  endpoint.disabled = disabled;
}

/** Edits a copy as PATCH asks. */
export function editEndpoint(copy: WebhookEndpoint, { events, enabled }: EndpointChange): void {
  if (events) changeTopics(copy, events);
  if (enabled === false && copy.disabled === undefined) disableIn(copy, 'disabled by request');
  if (enabled === true && copy.disabled !== undefined) {
    copy.disabled = undefined;
    Object.assign(copy.stored, { disabled: undefined, failures: 0, failingSinceMs: undefined });
  }
}

export function disableIn(endpoint: WebhookEndpoint, reason: string): void {
  endpoint.disabled = endpoint.stored.disabled = reason;
}

function changeTopics(endpoint: WebhookEndpoint, events: readonly string[]): void {
  endpoint.topics = events;
  const config: Config = { ...(JSON.parse(endpoint.stored.config) as Config), events };
  endpoint.stored.config = JSON.stringify(config);
}

/**
 * Replaces its secret. The one before stays good for the overlap.
 * @returns `shown`: the secret as the receiver needs it, when it was made here
 * @throws RequestError 422 when the secret is none, 409 when it has it already or too many at once
 */
export function rotateSecret(
  endpoint: WebhookEndpoint,
  { secret: given, overlapS }: Rotation,
  scheme: SignatureScheme,
  nowMs: number,
): { secret?: string } {
  const config = JSON.parse(endpoint.stored.config) as Config; // written here alone
  let made: ReturnType<typeof secretOf>;
  try {
    made = secretOf(given, scheme);
  } catch (error) {
    throw new RequestError(422, 'bad-secret', messageOf(error));
  }
  const secrets = replaceSecret(config.secrets, made.secret, nowMs, overlapS * 1000);
  endpoint.stored.config = JSON.stringify({ ...config, secrets } satisfies Config);
  endpoint.keysAt = keyRing(secrets, scheme);
  return made.shown;
}

/** An endpoint as the API shows it: everything but its secrets. */
export function endpointView(
  { id, url, topics, disabled, breaker, stored, delivered, givenUp, lastFailure }: WebhookEndpoint,
  pending: number,
): EndpointView {
  return {
    id,
    url,
    events: topics,
    ...(disabled !== undefined && { disabled }),
    breaker: breaker ? breakerState(breaker) : 'closed',
    createdAt: new Date(stored.createdMs).toISOString(),
    pending,
    delivered,
    givenUp,
    ...(lastFailure !== undefined && { lastFailure }),
  };
}
