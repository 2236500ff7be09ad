// Describes what differs between the patterns that stream: what is on the wire.

import type { ModelInput, PlannedEvent } from '../model.ts';
import type { Cluster } from './cluster.ts';
import type { Prepared } from './prepare.ts';
import type { ServerFanOuts } from './server-fan-outs.ts';
import type { TimerSpan } from './signs-of-life.ts';
import type { Tally } from './tally.ts';

export type StreamKind = {
  /** On the wire, an event whose envelope has so many bytes and whose cursor has so many. */
  eventBytes(envelope: number, cursor: number): number;
  life: {
    /** `quiet`: where nothing was written; `always`: at each turn. */
    when: 'quiet' | 'always';
    everyMs: number;
    /** On the wire, where a cursor has so many bytes. */
    bytes(cursor: number): number;
    answerBytes: number;
  };
  leavesOut?: readonly string[];
};

/** What an event is on its way, worked out for groups and one by one alike. */
export type Sized = PlannedEvent & {
  bytes: number;
  /** Of its JSON alone, as a history keeps it. */
  jsonBytes: number;
};

/** What groups and one by one compute with. */
export type StreamParts = {
  prepared: Prepared;
  cluster: Cluster;
  fanOuts: ServerFanOuts;
  span: TimerSpan;
  kind: StreamKind;
  tally: Tally;
  computed: ModelInput['computed'];
};
