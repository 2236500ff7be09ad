// Describes a reference server as a scenario asks for it: its limits, whether clients speak TLS with it, and
// what it does to check who they are.

import { z } from 'zod';
import { duration, interval } from '../base/quantities.ts';
import { server as limits, type ServerLimits } from './server-limits.ts';

const tlsOptions = z.strictObject({
  resume: z
    .boolean()
    .default(true)
    .describe('clients keep their TLS session and resume it when they come back, as browsers do'),
});

const tls = z
  .union([z.boolean().transform((on) => (on ? { resume: true } : undefined)), tlsOptions])
  .optional()
  .describe('clients of the pattern speak TLS with the server; true, or a map with the key resume');

export type ServerTls = NonNullable<z.output<typeof tls>>;

const lookup = z
  .union([
    z.literal('redis').transform(() => ({ kind: 'redis' as const, url: undefined })),
    z
      .url({ protocol: /^redis$/, error: 'an address such as redis://127.0.0.1:6379' })
      .refine((text) => !URL.parse(text)?.password, {
        error: 'leave the password out: scenarios are in every result. Set PUSHBENCH_REDIS_PASSWORD instead',
      })
      .transform((url) => ({ kind: 'redis' as const, url })),
    interval.transform((ms) => ({ kind: 'wait' as const, ms })),
  ])
  .describe(
    'where to ask whether the token is still valid: "redis" (one GET, to the broker if it is Redis, ' +
      'otherwise to a Redis started for the trial), the address of a Redis, or a time such as 5ms that ' +
      'passes without CPU',
  );

const authOptions = z.strictObject({
  takes: duration.prefault('0ms').describe('CPU that checking one token costs the server'),
  lookup: lookup.optional(),
  concurrency: z.int().min(1).max(10_000).default(256).describe('most lookups under way at once'),
  queue: z
    .int()
    .min(0)
    .max(100_000)
    .default(1024)
    .describe('most requests that wait for their lookup; others are answered 503 with Retry-After'),
});

const auth = z
  .union([z.boolean().transform((on) => (on ? authOptions.parse({}) : undefined)), authOptions])
  .optional()
  .describe(
    "every request of the pattern's clients brings a token, which the server checks; true, or a map with " +
      'the keys takes, lookup, concurrency and queue',
  );

export type ServerAuth = NonNullable<z.output<typeof auth>>;

export const server = limits.extend({ tls, auth });

/** What a scenario says of its servers: limits and options. */
export type ServerOfScenario = z.output<typeof server>;

/** How a server speaks TLS over HTTP/1.1, and HTTP/2 with it. */
export type TlsSetup = ServerTls & {
  /**
   * Servers with the same one resume one another's sessions, as with ticket keys that machines share; each
   * resumes its own alone when left out.
   */
  ticketSeed?: number;
};

/** How a server checks tokens. */
export type AuthSetup = Omit<ServerAuth, 'lookup'> & {
  /** What tokens are signed by (core/secrets/token.ts). */
  seed: number;
  /** Keys of Redis begin with `name`. */
  lookup?: { kind: 'wait'; ms: number } | { kind: 'redis'; url: string; name: string };
};

/** What a server is told besides its pattern and its seed. */
export type ServerSetup = {
  limits: ServerLimits;
  /** Over HTTP/1.1 in clear text when left out. */
  tls?: TlsSetup;
  /** Nobody is asked for a token when left out. */
  auth?: AuthSetup;
};

/** What clients need to get in. */
export type WayIn = {
  /** PEM of the certificate that a TLS listener uses, for the load side to trust. */
  certificate?: string;
  /** Over TLS: whether clients keep their session and resume it when they come back. */
  resumesTls?: boolean;
  /** Every request of a subscriber brings a token, signed with this (core/secrets/token.ts). */
  tokenSeed?: number;
};
