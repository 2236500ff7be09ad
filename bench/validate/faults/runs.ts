// Runs a scenario of two short trials as a user does, hits one of its processes at the drawn moment, and
// tells what came of it. What should have come is judge.ts.

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../core/base/errors.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { renderJunit } from '../../../reports/export/junit.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { readResult } from '../../../reports/read/read.ts';
import { redrawn, type ChildRole, type RunCase } from './cases.ts';
import { leftOf, remaining, startCommand, type Command, type Ended } from './command.ts';
import type { RunSeen, Stored } from './judge.ts';
import { childrenOf, commandLineOf, isAlive, listenersOf, newSpace, signalTo, type Space } from './space.ts';

/** How long an undisturbed run takes, and how long each of its children lives. */
export type Usual = { runMs: number; childMs: Record<ChildRole, number> };

export type Observed = {
  seen: RunSeen;
  /** Of the last signal, from the start of the run or of the child. */ atMs: number;
};

const entries: Record<ChildRole, string> = {
  server: 'servers/process.',
  load: 'load/process.',
  publisher: 'load/publisher-process.',
};
/**
 * A run of two trials in which a process is silent until the harness gives it up takes at most this long.
 */
const runLimitMs = 90_000;
/** What outlives the harness has until then to end. */
const leftLimitMs = 5000;
const redrawsMost = 20;

export function scenarioOf(variants: readonly string[], payload = '128B'): string {
  return `question: Does it hold?
subscribers: 5
topics: { news: { publish: 40/s } }
payload: ${payload}
phases: { connect: 100ms, warmup: 200ms, measure: 1s, drain: 1s }
variants: [${variants.join(', ')}]
expect: [missed == 0]
`;
}

export type RunSettings = { before?: string[]; env?: NodeJS.ProcessEnv; more?: string[]; payload?: string };

export function startRun(
  space: Space,
  variants: readonly string[],
  { before, env, more = [], payload }: RunSettings = {},
): Command {
  writeFileSync(join(space.folder, 'small.yaml'), scenarioOf(variants, payload));
  return startCommand(space, ['run', './small.yaml', ...more], before, env);
}

/** An undisturbed run. @throws when it does not go as it should */
export async function usualRun(): Promise<Usual> {
  const space = newSpace();
  try {
    const from = performance.now();
    const run = startRun(space, ['sse', 'webhook']);
    const lives = await Promise.all(
      (['server', 'load', 'publisher'] as const).map(async (role) => {
        const pid = await childOf(run, role, 1);
        const bornMs = performance.now();
        while (pid !== undefined && isAlive(pid)) await sleep(10);
        return [role, performance.now() - bornMs] as const;
      }),
    );
    const { code } = await run.ended;
    // A busy machine may miss an expectation or make trials that do not count; only
    // their lengths are asked for.
    if (![0, 1, 4].includes(code ?? -1))
      throw new Error(`an undisturbed run ended with exit code ${code}: ${run.output()}`);
    return { runMs: performance.now() - from, childMs: Object.fromEntries(lives) as Usual['childMs'] };
  } finally {
    await space.remove();
  }
}

/** One case from its beginning. Where the moment came too late, the run being over, another is drawn. */
export async function runCase(one: RunCase, usual: Usual): Promise<Observed> {
  for (let attempt = 1; attempt <= redrawsMost; attempt++) {
    const space = newSpace();
    try {
      const observed = await observe(attempt === 1 ? one : redrawn(one, attempt), usual, space);
      if (observed) return observed;
    } finally {
      await space.remove();
    }
  }
  throw new Error(`case ${one.number}: no moment was early enough`);
}

/** @returns undefined when the process that was to be hit had gone before its moment */
async function observe(one: RunCase, usual: Usual, space: Space): Promise<Observed | undefined> {
  const planned = parseScenario(scenarioOf(one.variants), {
    file: 'small.yaml',
    registry: patterns,
    overrides: [],
  }).scenario.variants.map(({ label }) => label);
  const fromMs = performance.now();
  const run = startRun(space, one.variants, { more: ['--junit', 'junit.xml', '--markdown', 'summary.md'] });
  const victim = one.victim === 'harness' ? run.pid : await childOf(run, one.victim, one.trial);
  if (victim === undefined) return undefined;
  const bornMs = one.victim === 'harness' ? fromMs : performance.now();
  const lastsMs = one.victim === 'harness' ? usual.runMs : usual.childMs[one.victim];
  await sleep(Math.max(0, one.share * lastsMs - (performance.now() - bornMs)));
  // Before and between trials there are no children to stop.
  while (one.act === 'kill-frozen' && isAlive(run.pid) && !childrenOf(run.pid).some(isOfTrial))
    await sleep(5);
  const children = childrenOf(run.pid);
  // The folder is made before anything else; git, which is asked before it, ends with the process.
  const begun = existsSync(join(space.folder, 'results'));
  const saidBefore = run.output();
  const listeners = listenersOf(space.processes());
  const atMs = performance.now() - bornMs;
  if (run.child.exitCode !== null || !(await hit(one, victim, children))) return undefined;
  const hitMs = performance.now();
  const exit = await Promise.race([
    run.ended,
    sleep(runLimitMs).then((): Ended => ({ code: null, signal: 'nothing, it still runs' })),
  ]);
  const endedMs = performance.now() - hitMs;
  // It had done all when the signal came, and ends as if there had been none.
  if (one.victim === 'harness' && exit.signal === null && exit.code !== 130 && one.act !== 'pause')
    return undefined;
  const killed = exit.signal === 'SIGKILL';
  const left = await leftOf(space, listeners, killed, leftLimitMs);
  const { stored, unexplained } = await storedIn(join(space.folder, 'results'));
  const measured = typeof stored === 'object' && stored.result.trials.length > 0;
  const seen: RunSeen = {
    hit: one,
    planned,
    exit,
    endedMs,
    begun,
    saidBefore,
    output: run.output(),
    stored,
    unexplained,
    left,
    next: killed && begun && !measured ? await nextRun(space, one.variants) : undefined,
  };
  return { seen, atMs };
}

/** Whether it is a process of a trial. Just forked it still has the command line of the harness. */
function isOfTrial(pid: number): boolean {
  const line = commandLineOf(pid);
  return Object.values(entries).some((entry) => line.includes(entry));
}

/** Does it. @returns whether the process was there */
async function hit(
  { act, forMs, victim }: RunCase,
  pid: number,
  children: readonly number[],
): Promise<boolean> {
  const stopped = async () => {
    const there = signalTo(pid, 'SIGSTOP');
    await sleep(forMs);
    return there;
  };
  switch (act) {
    case 'kill':
      return signalTo(pid, 'SIGKILL');
    case 'terminate':
      return signalTo(pid, 'SIGTERM');
    case 'interrupt':
      return signalTo(victim === 'harness' ? -pid : pid, 'SIGINT');
    case 'stop':
      return signalTo(pid, 'SIGSTOP');
    case 'pause':
      return (await stopped()) && signalTo(pid, 'SIGCONT');
    case 'stop-kill':
      return (await stopped()) && signalTo(pid, 'SIGKILL');
    case 'kill-frozen':
      for (const child of children) signalTo(child, 'SIGSTOP');
      return children.length > 0 && signalTo(pid, 'SIGKILL');
  }
}

/**
 * The process of that role of the first or the second trial, once it is there; undefined when the run
 * ended before.
 */
export async function childOf(run: Command, role: ChildRole, trial: 1 | 2): Promise<number | undefined> {
  const met = new Set<number>();
  while (run.child.exitCode === null && run.child.signalCode === null) {
    for (const pid of childrenOf(run.pid)) {
      if (!met.has(pid) && commandLineOf(pid).includes(entries[role])) met.add(pid);
      if (met.size === trial) return pid;
    }
    await sleep(5);
  }
  return undefined;
}

export async function storedIn(root: string): Promise<{ stored: RunSeen['stored']; unexplained: string[] }> {
  const folders = existsSync(root) ? readdirSync(root).filter((name) => !name.startsWith('.')) : [];
  const [complete] = folders.filter((name) => existsSync(join(root, name, 'result.json')));
  const unexplained = folders.filter((name) => name !== complete);
  if (complete === undefined) return { stored: undefined, unexplained };
  try {
    const result = await readResult(join(root, complete));
    const stored: Stored = { result, junit: renderJunit([result]), markdown: renderMarkdown([result]) };
    return { stored, unexplained };
  } catch (error) {
    return { stored: messageOf(error), unexplained };
  }
}

/** Starts another run there and ends it as soon as its first trial has begun. */
async function nextRun(space: Space, variants: readonly string[]): Promise<NonNullable<RunSeen['next']>> {
  const root = join(space.folder, 'results');
  const folders = () => (existsSync(root) ? readdirSync(root) : []);
  const before = new Set(folders());
  const run = startRun(space, variants);
  await run.saw(/connecting/).catch(() => {}); // it ended; what it said is judged
  run.child.kill('SIGINT');
  await run.ended;
  await remaining(space, leftLimitMs);
  return { output: run.output(), remaining: folders().filter((name) => before.has(name)) };
}
