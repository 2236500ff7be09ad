// Decides what of a trial with faults of several servers did not hold. Pure; each rule stands here once.

import type { Completed, TrialFault } from '../../../core/result/result.ts';
import { exitCodeOf } from '../../../cli/run.ts';
import type { Ended } from '../faults/command.ts';
import { leftMisses, wordMisses, type RunSeen } from '../faults/judge.ts';
import type { Left } from '../faults/space.ts';
import type { ClusterCase } from './cases.ts';

export const aspects = ['completed', 'happened', 'ledger', 'resumed', 'nothing left', 'words'] as const;
export type Aspect = (typeof aspects)[number];
/** What did not hold. */
export type ClusterMiss = { aspect: Aspect; text: string };

export type ClusterSeen = {
  asked: Pick<ClusterCase, 'faults' | 'away' | 'ends' | 'pattern'>;
  exit: Ended;
  output: string;
  left: Left;
  /** Undefined when no result was stored, a text when it cannot be read. */
  stored: RunSeen['stored'];
};

export function judgeCluster(seen: ClusterSeen): ClusterMiss[] {
  const { stored, exit } = seen;
  const misses: ClusterMiss[] = [
    ...leftMisses(seen.left).map(({ text }): ClusterMiss => ({ aspect: 'nothing left', text })),
    ...wordMisses(seen.output).map(({ text }): ClusterMiss => ({ aspect: 'words', text })),
  ];
  const miss = (aspect: Aspect, text: string) => void misses.push({ aspect, text });
  const was = exit.signal ?? `exit code ${exit.code}`;
  if (typeof stored !== 'object') {
    miss('completed', `${stored ?? 'no result was stored'} (${was}): ${lastOf(seen.output)}`);
    return misses;
  }
  const code = exitCodeOf(stored.result);
  if (exit.code !== code) miss('completed', `${was}, and its result says ${code}`);
  const outcome = outcomeOf(stored);
  if (!outcome) miss('completed', 'there is no trial');
  else if (outcome.status === 'failed') miss('completed', `the trial failed: ${outcome.message}`);
  else misses.push(...trialMisses(outcome, seen.asked));
  return misses;
}

export function outcomeOf(stored: ClusterSeen['stored']) {
  return typeof stored === 'object' ? stored.result.trials[0]?.outcome : undefined;
}

function trialMisses(trial: Completed, { faults, away, ends, pattern }: ClusterSeen['asked']): ClusterMiss[] {
  const misses: ClusterMiss[] = [];
  const miss = (aspect: Aspect, text: string) => void misses.push({ aspect, text });
  const played = trial.faults ?? [];
  if (played.length !== faults.length)
    miss('happened', `${played.length} faults are told of, ${faults.length} were asked for`);
  for (const [i, { did, atUs, tookUs, unfinished }] of played.entries()) {
    if (atUs === null && !isOvertaken(i, faults, played)) miss('happened', `it could not be done: ${did}`);
    else if (ends && (tookUs === undefined || unfinished))
      miss('happened', `it had not ended when the trial did: ${did}`);
  }
  const cut = trial.recovery?.cut;
  const absences = cut?.absences ?? 0;
  if (away === 'nobody' && absences > 0) miss('happened', `subscribers were cut off ${absences} times`);
  // Who asks again and again may have noticed nothing.
  if (away === 'somebody' && absences === 0 && pattern !== 'long-polling')
    miss('happened', 'no subscriber was cut off');

  const { published, unconfirmed, expected, delivered, missed, duplicated, corrupted, unexpected } =
    trial.ledger;
  if (published === 0) miss('ledger', 'nothing was published');
  if (delivered + missed !== expected)
    miss('ledger', `expected ${expected}, delivered ${delivered}, missed ${missed}`);
  for (const [name, count] of Object.entries({ unconfirmed, duplicated, corrupted, unexpected }))
    if (count > 0) miss('ledger', `${count} ${name}`);
  const unlike = trial.checks.filter(({ agree, note }) => !agree && note === '');
  for (const { name, server, client } of unlike) miss('ledger', `${name}: ${server} and ${client}`);

  if (missed > 0) miss('resumed', `${missed} of ${expected} deliveries missed`);
  if (!cut) return misses;
  if (cut.tooLate > 0) miss('resumed', `${cut.tooLate} of ${absences} came too late`);
  if (cut.fresh > 0) miss('resumed', `${cut.fresh} of ${absences} came back without a cursor`);
  if (cut.neverBack > 0) miss('resumed', `${cut.neverBack} of ${absences} never came back`);
  return misses;
}

/**
 * Whether a server was killed or stopped again before it listened. It was starting until then: what had
 * failed to start could not be ended.
 * @param i place of the restart, in the order of time, in which cases write their timelines
 */
function isOvertaken(i: number, faults: readonly string[], played: readonly TrialFault[]): boolean {
  const server = /restart: (\d+)/.exec(faults[i] ?? '')?.[1];
  if (server === undefined) return false;
  const next = faults.findIndex((one, j) => j > i && /(?:kill|stop): (\d+)/.exec(one)?.[1] === server);
  return next > 0 && typeof played[next]?.atUs === 'number';
}

function lastOf(output: string): string {
  return output.trim().split('\n').slice(-3).join(' / ');
}
