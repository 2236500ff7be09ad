// Makes the faults of a scenario happen when they are due, and notes when each one did. Who does what, and
// how, is acts.ts.

import { messageOf } from '../../core/base/errors.ts';
import { actsOf, type Fault } from '../../core/fault/faults.ts';
import type { Acted, Window } from '../../core/protocol/control.ts';
import { perform } from './acts.ts';
import type { Stage } from './stage.ts';

/**
 * A fault, and the moment at which the harness had begun it everywhere: every process stood still, every
 * command was sent. Undefined where it could not be done.
 */
export type PlayedFault = Readonly<{
  fault: Fault;
  atUs: number | undefined;
  /** For a fault that takes time (a server starts again): how long until it was done, or until now. */
  tookUs?: number;
  /** It is not done. */
  unfinished?: true;
  /** Why it could not be done, where that is known. */
  why?: string;
}>;

export type Playing = {
  /**
   * Resolves when the last one has begun.
   * Rejects with the reason of `over` when the trial is over before.
   */
  readonly begun: Promise<void>;
  /** All that were due so far, in the order of time, which is also the order of the `act` numbers. */
  soFar(): PlayedFault[];
};

type Record = { fault: Fault; atUs: number | undefined; takesTime?: true; doneUs?: number; why?: string };

/** Plays all faults. What they still do goes on beside the phases that follow, and ends with the trial. */
export function playFaults(stage: Stage, window: Window): Playing {
  const { plan, fleet, over } = stage;
  const inOrder = plan.scenario.faults.toSorted((a, b) => a.atMs - b.atMs);
  const records: Record[] = [];
  const play = async () => {
    const beginning: Promise<void>[] = [];
    for (const [act, fault] of inOrder.entries()) {
      await fleet.clock.until(window.fromUs + fault.atMs * 1000, over);
      const record: Record = { fault, atUs: undefined };
      records.push(record);
      beginning.push(begin(stage, record, act)); // not awaited: the next one may be due
    }
    await Promise.all(beginning);
  };
  return {
    begun: play(),
    soFar: () => records.map((record) => playedOf(record, fleet.clock.nowUs())),
  };
}

function playedOf({ fault, atUs, takesTime, doneUs, why }: Record, nowUs: number): PlayedFault {
  return {
    fault,
    atUs,
    ...(why !== undefined && { why }),
    ...(atUs !== undefined &&
      takesTime && { tookUs: (doneUs ?? nowUs) - atUs, ...(doneUs === undefined && { unfinished: true }) }),
  };
}

async function begin(stage: Stage, record: Record, act: number): Promise<void> {
  const begun = await Promise.all(actsOf(record.fault).map((one) => perform(one, { stage, act })));
  const atUs = begun.map((one) => one?.atUs);
  if (atUs.includes(undefined)) return;
  record.atUs = Math.max(...atUs.map((us) => us ?? 0));
  const rests = begun.flatMap((one) => one?.rest ?? []);
  if (rests.length === 0) return;
  record.takesTime = true;
  void Promise.all(rests).then(
    (whys) => {
      const why = whys.find((one) => one !== undefined);
      if (why === undefined) record.doneUs = stage.fleet.clock.nowUs();
      else Object.assign(record, { atUs: undefined, why });
    },
    (error: unknown) => {
      // Either the trial is over, or the fault could not be done.
      if (!stage.over.aborted) Object.assign(record, { atUs: undefined, why: messageOf(error) });
    },
  );
}

/**
 * When the first process had done its part of the fault. Processes that were told to do it say so themselves;
 * the harness says so where it stops processes from outside or begins a deploy. Both read the host's clock.
 * @param act the place of the fault among those that were played
 */
export function happenedAtUs(
  { fault, atUs }: PlayedFault,
  act: number,
  acted: readonly Acted[],
): number | undefined {
  const isTold = actsOf(fault).some((one) => one.do === 'tell');
  const own = isTold ? acted.filter((one) => one.act === act).map((one) => one.atUs) : [];
  return own.length > 0 ? Math.min(...own) : atUs;
}
