// Keeps an account of subscribers that are away: from the loss to being subscribed again to having caught
// up, how each absence ended, and which events may have been lost in it. Subscribers count from 0 in this
// process.

import { nowUs } from '../../core/base/clock.ts';
import { newHistogram, record, toSparse } from '../../core/result/histogram.ts';
import {
  absenceCauses,
  type AbsenceCause,
  type LoadAbsences,
  type LoadRecovery,
} from '../../core/result/recovery.ts';

export type Absences = {
  /**
   * By subscriber: events that the server accepted before this moment are handed to `arrived`. Infinity for a
   * while after each return, then the moment of the return; 0 for a subscriber that has never been away.
   */
  readonly watchUntilUs: Float64Array;
  /** It is subscribed, again where it was lost before. @param resumes as in `Sink.ready` */
  ready(i: number, atUs: number, resumes: boolean): void;
  lost(i: number, atUs: number, cause: AbsenceCause): void;
  /** The server no longer had all that it had missed. */
  reset(i: number): void;
  /** It does not try any more. */
  gone(i: number): void;
  /**
   * The first arrival of an event that `watchUntilUs` asks for.
   * @returns whether the return brought it, and not the subscription after it
   */
  arrived(i: number, slot: number, seq: number, acceptedUs: number, atUs: number): boolean;
  /** How many were cut off and are still trying to come back. */
  coming(): number;
  /** Absences that end before are not counted. */
  countFrom(atUs: number): void;
  /** The subscribers are being closed: from now on losses are not absences, and who is away is never back. */
  closing(atUs: number): void;
  /** How many of a slot's sequence numbers `from`..`to` came to be while the subscriber was away. */
  whileAway(slot: number, from: number, to: number): number;
  close(): Omit<LoadRecovery, 'missedAway' | 'connects'>;
};

/** Where a subscriber is. `back`: the absence that it came back from is not closed yet. */
const [never, here, away, back] = [0, 1, 2, 3];
const cut = absenceCauses.indexOf('cut');

/**
 * @param count subscribers
 * @param width slots of each in the ledger; those of subscriber `i` begin at `i * width`
 * @param highest by slot: the highest sequence number that has come
 */
export function createAbsences(count: number, width: number, highest: Int32Array): Absences {
  const state = new Uint8Array(count);
  const lostUs = new Float64Array(count);
  const backUs = new Float64Array(count);
  const caughtUpUs = new Float64Array(count);
  const watchUntilUs = new Float64Array(count);
  const causes = new Uint8Array(count);
  const resumed = new Uint8Array(count);
  const tooLate = new Uint8Array(count);
  const gaveUp = new Uint8Array(count);
  const wasAway = new Uint8Array(count);
  const stretches = createStretches(width, highest);
  const groups = absenceCauses.map(newGroup);
  let fromUs = Infinity;
  let toUs = Infinity;
  let coming = 0;

  const isComing = (i: number) => state[i] === away && causes[i] === cut && gaveUp[i] === 0;

  /** Closes the absence that a subscriber came back from. */
  function settle(i: number): void {
    state[i] = here;
    if (backUs[i]! <= fromUs) return;
    const group = countAbsence(i, backUs[i]!);
    group.counts.lastBackUs = Math.max(group.counts.lastBackUs, backUs[i]!);
    record(group.connected, backUs[i]! - lostUs[i]!);
    if (tooLate[i] === 1) group.counts.tooLate++;
    else if (resumed[i] === 0) group.counts.fresh++;
    else {
      group.counts.recovered++;
      record(group.caughtUp, caughtUpUs[i]! - lostUs[i]!);
    }
  }

  function countAbsence(i: number, endUs: number): Group {
    const group = groups[causes[i]!]!;
    wasAway[i] = 1;
    group.counts.absences++;
    group.counts.downtimeUs += Math.max(0, Math.min(endUs, toUs) - Math.max(lostUs[i]!, fromUs));
    group.counts.longestUs = Math.max(group.counts.longestUs, endUs - lostUs[i]!);
    return group;
  }

  return {
    watchUntilUs,
    ready(i, atUs, resumes) {
      if (state[i] === never) state[i] = here;
      if (state[i] !== away || toUs !== Infinity) return; // behind the close it is never back
      coming -= Number(isComing(i));
      state[i] = back;
      backUs[i] = caughtUpUs[i] = atUs;
      resumed[i] = Number(resumes);
      watchUntilUs[i] = Infinity;
    },
    lost(i, atUs, cause) {
      if (toUs !== Infinity || state[i] === away || state[i] === never) return;
      if (state[i] === back) settle(i);
      state[i] = away;
      lostUs[i] = atUs;
      causes[i] = absenceCauses.indexOf(cause);
      tooLate[i] = gaveUp[i] = 0;
      coming += Number(isComing(i));
      stretches.begin(i);
    },
    reset(i) {
      // Otherwise it has nothing to do with a return: the history was too short for a subscriber that stayed.
      if (state[i] === away || (state[i] === back && !stretches.anyHeard(i))) tooLate[i] = 1;
    },
    gone(i) {
      coming -= Number(isComing(i));
      gaveUp[i] = 1;
    },
    coming: () => coming,
    arrived(i, slot, seq, acceptedUs, atUs) {
      if (acceptedUs < backUs[i]!) {
        // What comes while it is away is of no return.
        if (state[i] === back) {
          stretches.hear(i);
          caughtUpUs[i] = Math.max(caughtUpUs[i]!, atUs);
        }
        return true;
      }
      if (state[i] === back && stretches.end(i, slot, seq)) watchUntilUs[i] = backUs[i]!;
      return false;
    },
    countFrom(atUs) {
      fromUs = atUs;
    },
    closing(atUs) {
      toUs = atUs;
    },
    whileAway: stretches.within,
    close() {
      if (toUs === Infinity) toUs = nowUs();
      for (let i = 0; i < count; i++) {
        if (state[i] === back) settle(i);
        if (state[i] !== away || fromUs === Infinity) continue;
        const { counts } = countAbsence(i, toUs);
        counts.neverBack++;
        counts.gaveUp += gaveUp[i]!;
      }
      const [ofCut, ofLeft] = groups.map(({ counts, connected, caughtUp }) => ({
        ...counts,
        connected: toSparse(connected),
        caughtUp: toSparse(caughtUp),
      })) as [LoadAbsences, LoadAbsences]; // as many as there are causes
      return { cut: ofCut, left: ofLeft, subscribers: wasAway.reduce((sum, one) => sum + one, 0) };
    },
  };
}

type Group = ReturnType<typeof newGroup>;

function newGroup() {
  return {
    counts: {
      absences: 0,
      recovered: 0,
      tooLate: 0,
      fresh: 0,
      neverBack: 0,
      gaveUp: 0,
      downtimeUs: 0,
      longestUs: 0,
      lastBackUs: 0,
    },
    connected: newHistogram(),
    caughtUp: newHistogram(),
  };
}

/**
 * Stretches of a topic's sequence numbers that came to be while a subscriber was away: from behind the
 * highest that it had when it was lost, to before the first that was accepted after it was back.
 */
function createStretches(width: number, highest: Int32Array) {
  /** By slot, where one has begun; 0 where none has. */
  const begun = new Int32Array(highest.length);
  const ended = new Map<number, [from: number, to: number][]>();
  /** By subscriber: how many of its slots have a stretch that has begun. */
  const open = new Int32Array(width === 0 ? 0 : highest.length / width); // without topics writes go nowhere
  const heard = new Uint8Array(open.length);
  const stretchesOf = (slot: number) => {
    const known = ended.get(slot) ?? [];
    if (known.length === 0) ended.set(slot, known);
    return known;
  };
  return {
    begin(i: number): void {
      for (let slot = i * width; slot < (i + 1) * width; slot++)
        if (begun[slot] === 0) begun[slot] = highest[slot]! + 1;
      open[i] = width;
      heard[i] = 0;
    },
    hear(i: number): void {
      heard[i] = 1;
    },
    /** Whether anything has come since the subscriber is back. */
    anyHeard: (i: number): boolean => heard[i] === 1,
    /** @returns whether this was the last of the subscriber's slots */
    end(i: number, slot: number, seq: number): boolean {
      heard[i] = 1;
      const from = begun[slot]!;
      if (from > 0) {
        begun[slot] = 0;
        open[i]!--;
        if (seq > from) stretchesOf(slot).push([from, seq - 1]);
      }
      return open[i] === 0;
    },
    within(slot: number, from: number, to: number): number {
      const last = begun[slot]! > 0 ? [[begun[slot]!, Infinity] as const] : [];
      return [...(ended.get(slot) ?? []), ...last].reduce(
        (sum, [first, end]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, first) + 1),
        0,
      );
    },
  };
}
