// Gives benches and parts of the validation what a run needs to know, with a view that says nothing.

import { patterns } from '../core/pattern/registry.ts';

/**
 * @param source the YAML as run
 * @param command as the result has it
 */
export function quietRun(source: string, command: string) {
  return {
    registry: patterns,
    folder: '.',
    source,
    command,
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    signal: new AbortController().signal,
  };
}
