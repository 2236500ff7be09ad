// Holds the options that several patterns have in common.

import { z } from 'zod';
import { interval } from '../base/quantities.ts';

export const connection = z
  .enum(['keep-alive', 'close'])
  .default('keep-alive')
  .describe('reuse the TCP connection, or open one per request');

export const gzip = z
  .boolean()
  .default(false)
  .describe('the client asks for answers compressed with gzip, and the server compresses them');

/** Of a pattern whose options have `gzip`. */
export function compression({ gzip: asked }: { gzip: boolean }): 'gzip' | undefined {
  return asked ? 'gzip' : undefined;
}

export const heartbeat = interval
  .prefault('15s')
  .describe('a sign of life on a quiet stream, below the idle timeout of proxies');
