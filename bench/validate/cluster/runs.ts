// Runs trials with faults of several servers as a user does, from the command line, two at a time, and tells
// what came of each. What should have come is judge.ts.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../core/base/errors.ts';
import { leftOf, startCommand, type Ended } from '../faults/command.ts';
import { storedIn } from '../faults/runs.ts';
import { listenersOf, newSpace, type Space } from '../faults/space.ts';
import { scenarioText, type ClusterCase } from './cases.ts';
import { judgeCluster, outcomeOf, type ClusterMiss, type ClusterSeen } from './judge.ts';

/** What came of a case. */
export type ClusterTried = {
  number: number;
  group: string;
  /** Broker, pattern, way in, servers and the timeline, in words. */
  what: string;
  misses: readonly ClusterMiss[];
  /** Faults that happened, by their word in the timeline. */
  happened: Readonly<Record<string, number>>;
  delivered: number;
  absences: number;
  /** Why it could not be tried. */
  notRun?: string;
};

/** Only counts are judged, and two do not change each other's. */
const atOnce = 2;
const runLimitMs = 120_000;
/** What outlives the harness has until then to end. */
const leftLimitMs = 5000;
const lookEveryMs = 300;

/** @param log one line for each case as it ends */
export async function runCases(
  cases: readonly ClusterCase[],
  log: (text: string) => void,
): Promise<ClusterTried[]> {
  const tried: ClusterTried[] = [];
  const from = performance.now();
  const waiting = cases.values();
  const worker = async () => {
    for (const one of waiting) {
      const came = await runCase(one);
      tried.push(came);
      const leftS = ((performance.now() - from) / tried.length / 1000) * (cases.length - tried.length);
      log(
        `${tried.length}/${cases.length} case ${one.number}, ${one.group}, ${came.what}: ` +
          `${verdictOf(came)} (${Math.ceil(leftS / 60)} min left)`,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return tried.toSorted((a, b) => a.number - b.number);
}

function verdictOf({ misses, notRun }: ClusterTried): string {
  if (notRun !== undefined) return notRun;
  if (misses.length === 0) return 'held';
  return misses.map(({ aspect, text }) => `NOT HELD: ${aspect}: ${text}`).join('; ');
}

async function runCase(one: ClusterCase): Promise<ClusterTried> {
  const place = `${one.broker}, ${one.pattern}, ${one.servers} servers, ${one.inFront}`;
  const what = `${place}: ${one.faults.join(' ')}`;
  const base = { number: one.number, group: one.group, what, happened: {}, delivered: 0, absences: 0 };
  const notRun = lackingFor(one);
  if (notRun !== undefined) return { ...base, misses: [], notRun };
  const space = newSpace();
  try {
    const seen = await observe(one, space);
    const outcome = outcomeOf(seen.stored);
    const misses = judgeCluster(seen);
    if (outcome?.status !== 'completed') return { ...base, misses };
    const words = outcome.faults?.filter(({ atUs }) => atUs !== null).map(({ kind }) => kind) ?? [];
    return {
      ...base,
      misses,
      happened: Object.fromEntries(
        [...Map.groupBy(words, (word) => word)].map(([w, all]) => [w, all.length]),
      ),
      delivered: outcome.ledger.delivered,
      absences: outcome.recovery?.cut?.absences ?? 0,
    };
  } catch (error) {
    // What does not even come to its end has not held; the others go on.
    return { ...base, misses: [{ aspect: 'completed', text: messageOf(error) }] };
  } finally {
    await space.remove();
  }
}

async function observe(one: ClusterCase, space: Space): Promise<ClusterSeen> {
  writeFileSync(join(space.folder, 'case.yaml'), scenarioText(one));
  const run = startCommand(space, ['run', './case.yaml']);
  const listeners = new Map<string, number>();
  let ended = false;
  const looking = (async () => {
    while (!ended) {
      for (const [inode, port] of listenersOf(space.processes())) listeners.set(inode, port);
      await sleep(lookEveryMs);
    }
  })();
  const exit = await Promise.race([
    run.ended,
    sleep(runLimitMs, undefined, { ref: false }).then((): Ended => ({
      code: null,
      signal: 'nothing, it still runs',
    })),
  ]);
  ended = true;
  await looking;
  const left = await leftOf(space, listeners, false, leftLimitMs);
  const { stored } = await storedIn(join(space.folder, 'results'));
  return { asked: one, exit, output: run.output(), left, stored };
}

const programs = {
  'redis-streams': ['redis-server', '--version'],
  jetstream: ['nats-server', '--version'],
  haproxy: ['haproxy', '-v'],
} as const;
const lacking = new Map<string, string | undefined>();

/** Why a case cannot be tried here. */
function lackingFor({ broker, inFront }: ClusterCase): string | undefined {
  const needs = inFront === 'haproxy' ? ([broker, inFront] as const) : [broker];
  for (const need of needs) {
    const [program, flag] = programs[need];
    if (!lacking.has(need))
      lacking.set(
        need,
        spawnSync(program, [flag]).status === 0 ? undefined : `not run: ${program} is not installed`,
      );
    const why = lacking.get(need);
    if (why !== undefined) return why;
  }
  return undefined;
}
