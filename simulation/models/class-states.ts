// Keeps the held requests of many classes: one at rest, whose clients are a single run and have had all
// events, is two numbers; only what an event has not reached everybody of is an object. With private topics
// a million classes are nearly all at rest.

import type { Followers } from './followers.ts';
import type { ClassState } from './held-requests.ts';

export type ClassStates = {
  /** The state of a class, to be changed and then kept. */
  of(ofClass: number): ClassState;
  keep(ofClass: number, state: ClassState): void;
};

/** @param connectUs over which all subscribers connect one after the other, from `beginsUs` on */
export function createClassStates(
  followers: Pick<Followers, 'classes' | 'size'>,
  { beginsUs, subscribers, connectUs }: { beginsUs: number; subscribers: number; connectUs: number },
): ClassStates {
  const { classes } = followers;
  const perSubscriberUs = connectUs / subscribers;
  const atUs = new Float64Array(classes);
  for (let i = 0; i < classes; i++) atUs[i] = beginsUs + i * perSubscriberUs;
  const stepUs = new Float64Array(classes).fill(classes * perSubscriberUs);
  const astir = new Map<number, ClassState>();

  return {
    of: (ofClass) =>
      astir.get(ofClass) ?? {
        runs: [
          {
            count: followers.size(ofClass),
            atUs: atUs[ofClass]!,
            stepUs: stepUs[ofClass]!,
            seen: 0,
            collecting: false,
          },
        ],
        unseen: [],
        base: 0,
      },
    keep(ofClass, state) {
      const { runs, unseen } = state;
      const [run] = runs;
      if (!run || runs.length > 1 || run.collecting || unseen.length > 0) {
        astir.set(ofClass, state);
        return;
      }
      [atUs[ofClass], stepUs[ofClass]] = [run.atUs, run.stepUs];
      astir.delete(ofClass);
    },
  };
}
