// Holds the secrets of an endpoint over time: one replaces the other with an overlap in which both are good,
// so that a receiver can change over without missing a delivery.

import type { KeyObject } from 'node:crypto';
import type { SignatureScheme } from '../../core/signature/schemes.ts';
import { RequestError } from '../http/request.ts';

/** Newest first; a secret without `untilMs` is good until another replaces it. */
export type DatedSecret = { readonly secret: string; readonly untilMs?: number };

/** Each is a signature more on every delivery, so there are not many. */
const mostSecrets = 4;

/**
 * The secrets after `fresh` has replaced the newest of them, which stays good for `overlapMs` more.
 * @throws RequestError 409 when too many are good at once
 */
export function replaceSecret(
  secrets: readonly DatedSecret[],
  fresh: string,
  nowMs: number,
  overlapMs: number,
): DatedSecret[] {
  if (secrets.some(({ secret }) => secret === fresh))
    throw new RequestError(
      409,
      'same-secret',
      'the endpoint has this secret already; give another, or none to have one made',
    );
  const untilMs = nowMs + overlapMs;
  const kept = secrets
    .map((one) => ({ ...one, untilMs: Math.min(one.untilMs ?? untilMs, untilMs) }))
    .filter((one) => one.untilMs > nowMs);
  if (kept.length >= mostSecrets) {
    throw new RequestError(
      409,
      'too-many-secrets',
      `${mostSecrets} secrets of this endpoint are good at the same time, which is the limit; wait for ` +
        'one to end, or replace them with an overlap of 0',
    );
  }
  return [{ secret: fresh }, ...kept];
}

/** Gives the keys to sign with at a time, newest first. */
export function keyRing(
  secrets: readonly DatedSecret[],
  scheme: SignatureScheme,
): (nowMs: number) => readonly KeyObject[] {
  let dated = secrets.map(({ secret, untilMs = Infinity }) => ({ key: scheme.key(secret), untilMs }));
  let keys = dated.map(({ key }) => key);
  let untilMs = 0;
  return (nowMs) => {
    // Hot path: once for each attempt.
    if (nowMs >= untilMs) {
      dated = dated.filter((one) => one.untilMs > nowMs);
      keys = dated.map(({ key }) => key);
      untilMs = Math.min(...dated.map((one) => one.untilMs));
    }
    return keys;
  };
}
