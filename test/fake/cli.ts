// Runs the command line on scripted processes in virtual time:
// `node --import test/fake/cli.ts cli/main.ts ...`. All else is as a user has it. What only real processes
// show is for tests that start some.

import { registerHooks } from 'node:module';

const scripted = new URL('processes.ts', import.meta.url).href;
const replaced = ['/harness/trial/fleet.ts', '/harness/target/command-server.ts'];

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    return replaced.some((path) => found.url.endsWith(path)) ? { ...found, url: scripted } : found;
  },
});
