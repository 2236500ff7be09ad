// Defines the parts of a target file that say how a pattern's subscriber asks there: URL, headers, cursor.

import { z } from 'zod';
import { onlyPlaceholders } from '../base/template.ts';

const topicWords = onlyPlaceholders(['topic', 'topics']);

export const location = z
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
      'a name and password do not belong in a URL; send them as a header: authorization: "Basic ${NAME}"',
  })
  .describe(
    'a path below "url", or a whole URL; {topic} is a topic, {topics} all topics of a subscriber, ' +
      'separated by commas',
  );

export const headers = z
  .record(
    z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'this is not a name of a header' })
      .regex(/^(?!(host|connection|upgrade|content-length|transfer-encoding|sec-websocket-.*)$)/i, {
        error: 'pushbench sets this header itself',
      }),
    z.string({ error: 'text' }).regex(/^[^\r\n\0]*$/, { error: 'one line of text' }),
  )
  .describe('headers of every request; ${NAME} is a variable of the environment');

export const ownHeaders = headers
  .default({})
  .describe('headers of this pattern, in addition to those for all');

export const cursor = z
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
    'how a request says what the client has seen: "etag" (If-None-Match and If-Modified-Since), a ' +
      'query parameter, or "none": every answer contains everything',
  );

export type TargetCursor = z.output<typeof cursor>;

/** A message that a subscriber sends to say what it wants. */
export const subscribeMessage = z.string().refine(topicWords.test, { error: topicWords.error });

/** What a pattern's entry in a target file is once it is parsed. */
export type TargetEntry = {
  url: string;
  headers: Record<string, string>;
  /** Of patterns that ask again and again. */
  cursor?: TargetCursor | undefined;
  untilEmpty?: boolean | undefined;
  /** Of WebSocket. */
  protocol?: string | undefined;
  send?: string[] | undefined;
};

/**
 * What a target file says of one pattern below `subscribe`: its URL alone, or a map.
 * @param own what the map may say besides its URL and headers
 */
export function targetEntry(
  what: string,
  own: { readonly [Key in Exclude<keyof TargetEntry, 'url' | 'headers'>]?: z.ZodType<TargetEntry[Key]> } = {},
): z.ZodType<TargetEntry> {
  // zod cannot see that each key's schema gives the key's own type; the parameter's type says so.
  const map = z.strictObject({ url: location, headers: ownHeaders, ...own }) as z.ZodType<TargetEntry>;
  return z.union([location.transform((url) => map.parse({ url })), map]).describe(what);
}
