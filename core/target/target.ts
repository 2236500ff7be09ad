// Defines the target file: how to subscribe and publish at a system that is not ours, with which headers,
// and which process to watch. This file is its schema, except for the parts that each pattern's own entry
// describes (core/pattern); target/file.ts parses it, and target/access.ts fills in the environment's values.
//
// The target never learns what an event is. The publisher sends our envelope (envelope.ts) as an opaque body,
// and the load side looks for it in whatever comes back.

import { z } from 'zod';
import { fillEach, onlyPlaceholders } from '../base/template.ts';
import { patterns } from '../pattern/registry.ts';
import type { Pattern } from '../pattern/pattern.ts';
import { headers, location, ownHeaders } from '../pattern/target-entry.ts';

const bodyWords = onlyPlaceholders(['event', 'eventString', 'topic']);

/** A key for each pattern that can be described, in the registry's order. */
const subscribe = z
  .strictObject(
    Object.fromEntries(
      Object.entries<Pattern>(patterns).flatMap(([name, { target }]) =>
        'entry' in target ? [[name, target.entry.optional()] as const] : [],
      ),
    ),
  )
  .refine((given) => Object.keys(given).length > 0, { error: 'at least one pattern must be described' })
  .describe('how a subscriber gets events, for each pattern that the system has');

const publish = z.strictObject({
  url: location,
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST').describe('HTTP method; any 2xx answer is success'),
  type: z.string().min(1).default('application/json').describe('content type'),
  headers: ownHeaders,
  body: z
    .string()
    .refine(bodyWords.test, { error: bodyWords.error })
    .refine((text) => text.includes('{event}') || text.includes('{eventString}'), {
      error: 'the event itself is missing: write {event}, or {eventString} for JSON in a string',
    })
    .default('{event}')
    .describe(
      'what is sent: {event} is the event, a JSON object; {eventString} ' +
        'the same as a JSON string; {topic} the topic',
    ),
});

export const targetSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,31}$/i, { error: 'a short name: up to 32 letters, digits and . _ -' })
    .describe('its name in reports, as in "sse @nchan"'),
  url: z
    .string()
    .regex(/^https?:\/\/[^\s/?#@{}$]+(\/[^\s?#{}$]*)?$/, {
      error: 'http://HOST:PORT or https://HOST:PORT, with a path if it has one',
    })
    .describe('where the system is; only this host and hosts that URLs in this file name are contacted'),
  publish: z
    .union([location.transform((url) => publish.parse({ url })), publish])
    .describe('how an event is published: a URL, or a map'),
  subscribe,
  topics: z
    .enum(['fresh', 'fixed'])
    .default('fresh')
    .describe(
      '"fresh": each trial uses new topics (news.k3f9a1), so that no history reaches it; "fixed": the ' +
        "scenario's names",
    ),
  headers: headers.default({}),
  tls: z
    .strictObject({
      ca: z
        .string()
        .min(1)
        .describe('PEM file of the authority that signed the certificate, beside this file'),
    })
    .optional()
    .describe('certificate authorities to trust in addition to the usual ones'),
  process: z
    .strictObject({
      pid: z.int().min(1).optional().describe('the process itself'),
      port: z.int().min(1).max(65_535).optional().describe('the process that listens on this TCP port'),
      pidFile: z
        .string()
        .min(1)
        .optional()
        .describe('a file that holds the process id; relative to this file'),
    })
    .refine((given) => Object.keys(given).length === 1, {
      error: 'name the process in one way: pid, port or pidFile',
    })
    .optional()
    .describe(
      'the process on this machine whose CPU, memory and descriptors are read, including its children; ' +
        'when left out, they are not measured',
    ),
});

export type Target = z.output<typeof targetSchema>;
export type TargetProcess = NonNullable<Target['process']>;

/** The host and port of a location, as `URL` understands them. */
export function originOf(base: string, where: string): URL {
  const plain = fillEach(where, 'x').replace(/\$\{\w+\}/g, 'x');
  return new URL(where.startsWith('/') ? base.replace(/\/$/, '') + plain : plain);
}
