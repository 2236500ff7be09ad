#!/usr/bin/env node
// Starts the command line with a compile cache, and turns whatever a command throws into a message and an
// exit code.

import { fileURLToPath } from 'node:url';
import { exitCodes } from '../core/base/errors.ts';
import { packageRoot } from '../harness/run/version.ts';
import { reportFailure } from './failure.ts';
import { requireNode } from './node-version.ts';
import { requirePlatform } from './platform.ts';
import { endAtSignals } from './signals.ts';

endAtSignals();

// A reader that went away (`| head`) is not a failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

let complain: ((text: string) => void) | undefined;
try {
  requirePlatform(process.platform);
  requireNode(process.version);
  // Only now: a name that an older runtime does not have would end it before it could be told so.
  const { enableCompileCache } = await import('node:module');
  // Halves the time to the first line. Within the package, so that nothing is left elsewhere; where it cannot
  // be written there is none.
  enableCompileCache(fileURLToPath(new URL('node_modules/.cache/pushbench', packageRoot)));
  ({ complain } = await import('./print.ts'));
  const { createProgram } = await import('./program.ts');
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, complain);
}
