#!/usr/bin/env node
// The entry of the command line: loads it with a compile cache, and turns whatever a command throws into a
// message and an exit code.

import { fileURLToPath } from 'node:url';
import { exitCodes, UserError } from '../core/base/errors.ts';
import { printable } from '../core/base/printable.ts';
import { packageRoot } from '../harness/run/version.ts';
import { requireNode } from './node-version.ts';

// A reader that went away (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

try {
  requireNode(process.version);
  // Only now: a name that an older runtime does not have would end it before it could be told so.
  const { enableCompileCache } = await import('node:module');
  // Halves the time to the first line. Within the package, so that nothing is left elsewhere; where it cannot
  // be written there is none.
  enableCompileCache(fileURLToPath(new URL('node_modules/.cache/pushbench', packageRoot)));
  const { createProgram } = await import('./program.ts');
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof UserError) {
    console.error(printable(error.message));
    process.exitCode = error.exitCode;
  } else {
    console.error(error);
    console.error('This is a defect of pushbench; please report it with the lines above.');
    process.exitCode = exitCodes.failed;
  }
}
