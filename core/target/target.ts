// Defines the target file: how to subscribe and publish at a system that is not ours, with which headers,
// and which process to watch. This file is its schema; target/file.ts parses it, and target/access.ts fills
// in the environment's values.
//
// The target never learns what an event is. The publisher sends our envelope (envelope.ts) as an opaque body,
// and the load side looks for it in whatever comes back.

import { z } from 'zod';

const placeholder = /(?<!\$)\{(\w+)\}/g;

/** A template's placeholders, in order. `${NAME}` is not one: it stands for a variable of the environment. */
export function placeholdersIn(template: string): string[] {
  return [...template.matchAll(placeholder)].map((match) => match[1]!);
}

/** Puts values in for placeholders; the environment's variables must be gone by then. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(placeholder, (whole, name: string) => values[name] ?? whole);
}

function known(names: readonly string[]) {
  return {
    test: (template: string) => placeholdersIn(template).every((name) => names.includes(name)),
    error:
      `here only ${names.map((name) => `{${name}}`).join(', ')} can be ` +
      'filled in, and ${NAME} from the environment',
  };
}

const topicWords = known(['topic', 'topics']);
const bodyWords = known(['event', 'eventString', 'topic']);
const messageWords = known(['topic', 'topics']);

const location = z
  .string({ error: 'a path such as /events/{topic}, or a whole URL' })
  .regex(/^(\/|https?:\/\/|wss?:\/\/)[^\s]*$/, {
    error:
      'a path below "url" such as /events/{topic}, or a whole URL that ' +
      'begins with http://, https://, ws:// or wss://',
  })
  .refine(topicWords.test, { error: topicWords.error })
  .refine((text) => !(text.includes('{topic}') && text.includes('{topics}')), {
    error:
      'use {topic} for a connection for each topic, or {topics} for ' +
      'one that carries all of them, and not both',
  })
  .refine((text) => !/^\w+:\/\/[^/?#]*[{$]/.test(text), {
    error: 'a host that depends on topics or the environment could be any host; write it out',
  })
  .refine((text) => !/^\w+:\/\/[^/?#]*@/.test(text), {
    error:
      'a name and password do not belong into a URL; send them as a header: authorization: "Basic ${NAME}"',
  })
  .describe(
    'a path below "url", or a whole URL; {topic} is a topic, {topics} ' +
      "all of a subscriber's with commas between them",
  );

const headers = z
  .record(
    z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'this is no name of a header' })
      .regex(/^(?!(host|connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$)/i, {
        error: 'pushbench sets this header itself',
      }),
    z.string({ error: 'text' }).regex(/^[^\r\n\0]*$/, { error: 'one line of text' }),
  )
  .describe('headers of every request; ${NAME} is a variable of the environment');

const ownHeaders = headers.default({}).describe('headers of this pattern, besides those for all');

const cursor = z
  .union([
    z.enum(['etag', 'none']),
    z
      .strictObject({
        parameter: z.string().min(1).describe('query parameter that carries the cursor in the next request'),
        header: z.string().min(1).optional().describe('response header that holds it'),
        field: z
          .string()
          .min(1)
          .optional()
          .describe('or field of the JSON body that holds it, such as next or page.cursor'),
      })
      .refine(({ header, field }) => (header === undefined) !== (field === undefined), {
        error: 'say where the cursor stands: "header" or "field", one of the two',
      }),
  ])
  .describe(
    'how a request says what it has had: "etag" (If-None-Match and If-Modified-Since), a query ' +
      'parameter, or "none": every answer brings everything',
  );

const held = (options: z.ZodRawShape = {}) =>
  z.strictObject({ url: location, headers: ownHeaders, ...options });

/** A pattern is written as its URL alone, or as a map. */
function entry<S extends z.ZodObject>(schema: S, what: string) {
  return z.union([location.transform((url) => schema.parse({ url }) as z.output<S>), schema]).describe(what);
}

const polling = z.strictObject({
  url: location,
  headers: ownHeaders,
  cursor: cursor.default('etag'),
  untilEmpty: z
    .boolean()
    .default(false)
    .describe('an answer brings one event only, so ask again at once until there is none'),
});
const longPolling = z.strictObject({ url: location, headers: ownHeaders, cursor: cursor.default('etag') });
const websocket = z.strictObject({
  url: location,
  headers: ownHeaders,
  protocol: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'the name of one subprotocol' })
    .optional()
    .describe('subprotocol to ask for'),
  send: z
    .array(z.string().refine(messageWords.test, { error: messageWords.error }))
    .max(20)
    .default([])
    .describe('messages to send once connected, in order; one that has {topic} in it is sent for each topic'),
});

const publish = z.strictObject({
  url: location,
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST'),
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
    .describe('what reports call it, as in "sse @nchan"'),
  url: z
    .string()
    .regex(/^https?:\/\/[^\s/?#@{}$]+(\/[^\s?#{}$]*)?$/, {
      error: 'http://HOST:PORT or https://HOST:PORT, with a path if it has one',
    })
    .describe('where the system is; nothing else is contacted but hosts that URLs in this file name'),
  publish: entry(publish, 'how an event is published: a URL, or a map'),
  subscribe: z
    .strictObject({
      polling: entry(polling, 'polls that are answered at once').optional(),
      'long-polling': entry(longPolling, 'requests that are held until there is something').optional(),
      'http-stream': entry(held(), 'a response that does not end, lines in it').optional(),
      sse: entry(held(), 'a text/event-stream').optional(),
      websocket: entry(websocket, 'a WebSocket').optional(),
    })
    .refine((given) => Object.keys(given).length > 0, { error: 'at least one pattern must be described' })
    .describe('how a subscriber gets events, for each pattern that the system has'),
  topics: z
    .enum(['fresh', 'fixed'])
    .default('fresh')
    .describe(
      '"fresh": each trial has topics of its own (news.k3f9a1), so that no history reaches it; "fixed": ' +
        "the scenario's names as they are",
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
    .describe('trust besides the usual authorities'),
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
      'the process on this machine to read CPU, memory and descriptors of, its children included; left ' +
        'out, they are not measured',
    ),
});

export type Target = z.output<typeof targetSchema>;
export type TargetPattern = keyof Target['subscribe'];
export type TargetCursor = z.output<typeof cursor>;
export type TargetProcess = NonNullable<Target['process']>;

/** The host and port of a location, as `URL` understands them. */
export function originOf(base: string, where: string): URL {
  const plain = where.replace(placeholder, 'x').replace(/\$\{\w+\}/g, 'x');
  return new URL(where.startsWith('/') ? base.replace(/\/$/, '') + plain : plain);
}
