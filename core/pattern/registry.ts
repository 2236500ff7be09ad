// Lists the patterns. A new one adds its entry here, and its server and its subscribers to the registries of
// servers/ and load/.

import type { z } from 'zod';
import { httpStream } from './http-stream.ts';
import { longPolling } from './long-polling.ts';
import type { Pattern, PatternRegistry } from './pattern.ts';
import { polling } from './polling.ts';
import { sse } from './sse.ts';
import { webhook } from './webhook.ts';
import { websocket } from './websocket.ts';

export const patterns = {
  polling,
  'long-polling': longPolling,
  'http-stream': httpStream,
  sse,
  websocket,
  webhook,
} as const satisfies PatternRegistry;

export type PatternName = keyof typeof patterns;

/** The options of a pattern, parsed. */
export type PatternOptions<P extends PatternName = PatternName> = z.output<(typeof patterns)[P]['options']>;

/** The patterns that a target file can describe. */
export type TargetPattern = {
  [P in PatternName]: (typeof patterns)[P]['target'] extends { entry: unknown } ? P : never;
}[PatternName];

export function isPatternName(name: string): name is PatternName {
  return Object.hasOwn(patterns, name);
}

/** The entry of that name; undefined for an unknown name, such as a test's or an older result's. */
export function patternNamed(name: string): Pattern | undefined {
  return isPatternName(name) ? patterns[name] : undefined;
}
