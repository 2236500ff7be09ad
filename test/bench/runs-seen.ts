// Makes observations of runs that were hit, as the validation judges them: in each of these all holds.

import assert from 'node:assert/strict';
import type { RunSeen, Stored } from '../../bench/validate/faults/judge.ts';
import type { Completed, Result, Trial } from '../../core/result/result.ts';
import { renderJunit } from '../../reports/export/junit.ts';
import { renderMarkdown } from '../../reports/text/markdown.ts';
import { fixtureResult } from '../reports/fixture.ts';

const planned = ['sse', 'websocket'];
const whole = fixtureResult({ measureS: 1 });
export const trialOf = (label: string): Trial =>
  structuredClone(whole.trials.find(({ variant }) => variant.label === label)!);

function resultWith(trials: Trial[], more: Partial<Result> = {}): Result {
  return { ...structuredClone(whole), trials, expectations: [], ...more };
}

export function storedWith(trials: Trial[], more: Partial<Result> = {}): Stored {
  const result = resultWith(trials, more);
  return { result, junit: renderJunit([result]), markdown: renderMarkdown([result]) };
}

export function failed(label: string, message: string): Trial {
  return {
    ...trialOf(label),
    warnings: [],
    outcome: { status: 'failed', valid: false, code: 'child-ended', message },
  };
}

export function changed(label: string, change: (outcome: Completed) => void): Trial {
  const trial = trialOf(label);
  assert.equal(trial.outcome.status, 'completed');
  if (trial.outcome.status === 'completed') change(trial.outcome);
  return trial;
}

export const nothing = { processes: [], listeners: [], files: [] };
export const killedServer: RunSeen = {
  hit: { victim: 'server', act: 'kill', trial: 2 },
  planned,
  exit: { code: 3, signal: null },
  endedMs: 900,
  begun: true,
  saidBefore: '[2/2] websocket: measuring\n',
  output: '[2/2] websocket: failed: the server process ended\n',
  left: nothing,
  stored: storedWith([
    trialOf('sse'),
    failed('websocket', 'the server process ended in the middle of the trial (signal SIGKILL)'),
  ]),
  unexplained: [],
  next: undefined,
};
export const unfinished: Partial<Result> = { state: { kind: 'unfinished' } };
export const killedHarness: RunSeen = {
  ...killedServer,
  hit: { victim: 'harness', act: 'kill', trial: 1 },
  exit: { code: null, signal: 'SIGKILL' },
  output: '',
  stored: storedWith([trialOf('sse'), trialOf('websocket')]),
};
export const ended: RunSeen = {
  ...killedHarness,
  hit: { victim: 'harness', act: 'terminate', trial: 1 },
  exit: { code: 130, signal: null },
  stored: undefined,
};
