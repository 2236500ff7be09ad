// Repeats an attack in numbers: a hundred kills and stops at random moments, fifty moments at which a run is
// asked to end, and one shortage after the other. What must hold of each is faults/judge.ts; each case
// follows from its number.

import { spawnSync } from 'node:child_process';
import { messageOf } from '../../core/base/errors.ts';
import { random } from '../../core/base/random.ts';
import { killRepeatedly, type KillLedger } from '../../test/servers/webhook/kills.ts';
import { noRedis } from '../../test/servers/webhook/redis/redis-server.ts';
import { runBrokerCase } from './faults/broker.ts';
import { allCases, groupOf, quickCases, type FaultCase } from './faults/cases.ts';
import { judgeRun, leftMisses, type Miss } from './faults/judge.ts';
import { faultsOutcome, type Tried } from './faults/page.ts';
import { leftOf } from './faults/command.ts';
import { runCase, scenarioOf, usualRun, type Usual } from './faults/runs.ts';
import { shortages } from './faults/shortages.ts';
import type { Shortage } from './faults/shortage.ts';
import { newSpace, type Space } from './faults/space.ts';
import { judgeStore } from './faults/webhook-server.ts';
import type { Part } from './part.ts';

/** Numbers of the shortages, behind those of the drawn cases. */
const firstShortage = 201;
/** How long a server on SQLite lives at most before it is killed. */
const storeLifeMs = 400;

/** Why something cannot be tried here; undefined where it can. */
const lacking = {
  root:
    process.getuid?.() === 0 && spawnSync('unshare', ['--net', 'true']).status === 0
      ? undefined
      : 'not run: mounts and networks take root',
  redis: noRedis === false ? undefined : `not run: ${noRedis}`,
} as const;

export const faults: Part = {
  title: 'Kills, stops and shortages',
  run: (quick) =>
    tryAll(
      quick ? quickCases() : allCases(),
      shortages.map((one, i) => ({ ...one, number: firstShortage + i })),
    ),
  repeat: (number) =>
    tryAll(
      allCases().filter((one) => one.number === number),
      shortages
        .map((one, i) => ({ ...one, number: firstShortage + i }))
        .filter((one) => one.number === number),
    ),
};

async function tryAll(
  cases: readonly FaultCase[],
  shortagesTried: readonly (Shortage & { number: number })[],
) {
  if (cases.length + shortagesTried.length === 0)
    throw new Error(
      `there is no case of that number: 1 to ${allCases().length}, and ${firstShortage} to ` +
        `${firstShortage + shortages.length - 1}`,
    );
  const usual = cases.some(({ kind }) => kind === 'run') ? await usualRun() : undefined;
  const total = cases.length + shortagesTried.length;
  const tried: Tried[] = [];
  const add = (one: Tried) => {
    tried.push(one);
    const verdict =
      one.notRun ??
      (one.misses.length === 0
        ? 'held'
        : one.misses.map(({ aspect, text }) => `NOT HELD: ${aspect}: ${text}`).join('; '));
    console.log(
      `${tried.length}/${total} case ${one.number}, ` +
        `${one.group}${one.moment === '' ? '' : `, ${one.moment}`}: ${verdict}`,
    );
  };
  for (const one of cases)
    add({ kind: kindOf(one), number: one.number, group: groupOf(one), ...(await attempt(one, usual)) });
  for (const { number, name, needs, run } of shortagesTried) {
    const notRun = needs.map((need) => lacking[need]).find((why) => why !== undefined);
    const misses = notRun === undefined ? await inSpace(run) : [];
    add({
      kind: 'shortage',
      number,
      group: name,
      moment: '',
      misses,
      ...(notRun !== undefined && { notRun }),
    });
  }
  return faultsOutcome(tried, scenarioOf(['FIRST', 'SECOND']));
}

function kindOf(one: FaultCase): Tried['kind'] {
  if (one.kind !== 'run') return one.kind;
  if (one.victim !== 'harness') return 'child';
  return one.act === 'interrupt' || one.act === 'terminate' ? 'end' : 'harness';
}

/** @param usual of a run, where the case is one */
async function attempt(
  one: FaultCase,
  usual: Usual | undefined,
): Promise<Pick<Tried, 'moment' | 'misses' | 'notRun'>> {
  switch (one.kind) {
    case 'run': {
      const { seen, atMs } = await runCase(one, usual!); // it was measured, as there is such a case
      const where = one.victim === 'harness' ? 'after its start' : `into its life in trial ${one.trial}`;
      return {
        moment: `${seen.planned.join(' and ')}, ${Math.round(atMs)} ms ${where}`,
        misses: judgeRun(seen),
      };
    }
    case 'store':
      return { moment: '', misses: await inSpace((space) => killStore(one.number, space)) };
    case 'broker': {
      if (lacking.redis !== undefined) return { moment: '', misses: [], notRun: lacking.redis };
      const moment = `${Math.round(one.afterMs)} ms into publishing, for ${Math.round(one.forMs)} ms`;
      return { moment, misses: await inSpace(async (space) => judgeStore(await runBrokerCase(one, space))) };
    }
  }
}

async function inSpace(act: (space: Space) => Promise<Miss[]>): Promise<Miss[]> {
  const space = newSpace();
  try {
    return await act(space);
  } catch (error) {
    // What does not even come to its end has not held; the others go on.
    return [{ aspect: 'account', text: messageOf(error) }];
  } finally {
    await space.remove();
  }
}

/** The servers are started by this process, so it lends them the space's environment. */
async function killStore(number: number, space: Space): Promise<Miss[]> {
  const before = { ...process.env };
  Object.assign(process.env, space.env);
  try {
    const ledger = await killRepeatedly('sqlite', 1, random(number, 'moment'), storeLifeMs);
    return [...judgeKills(ledger), ...leftMisses(await leftOf(space, new Map(), false, 3000))];
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

/** Pure. */
export function judgeKills({ confirmed, lost, unexplained }: KillLedger): Miss[] {
  const misses: Miss[] = [];
  if (confirmed === 0)
    misses.push({ aspect: 'account', text: 'nothing was confirmed, so nothing was shown' });
  if (lost > 0) misses.push({ aspect: 'ledger', text: `${lost} confirmed deliveries never came` });
  if (unexplained > 0)
    misses.push({
      aspect: 'ledger',
      text: `${unexplained} deliveries came again that the store had as settled`,
    });
  return misses;
}
