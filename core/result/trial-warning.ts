// Lists the notes that a trial may carry, and defines a warning. A note makes nothing void; what does is in
// voids.ts. docs/how-to/not-valid.md says of each what it means and what to do, and a test holds it to that.

import type { VoidingCode } from './voids.ts';

/** Reasons to read the figures of a trial with something in mind. */
export const noteCodes = [
  'breakers-opened',
  'drained-behind-haproxy',
  'errors',
  'extrapolated',
  'fault-outlasts',
  'fell-back',
  'few-samples',
  'injected',
  'missed',
  'no-proc',
  'not-compressed',
  'not-delivered',
  'poll-rate',
  // Where a fault of the scenario explains it; else it makes latencies void.
  'publisher-late',
  'quiet-topics',
  'reconnects',
  'server-killed',
  'server-saturated',
  'server-starved',
  'shared-cores',
  'target',
  'throttled-briefly',
  'through-network',
  'trace-cut',
  'unfollowed',
] as const;
export type NoteCode = (typeof noteCodes)[number];

/** A warning that makes figures void, or a note to keep in mind when reading them. */
export type TrialWarning =
  | { code: VoidingCode; level: 'invalid'; message: string }
  | { code: NoteCode; level: 'note'; message: string };
