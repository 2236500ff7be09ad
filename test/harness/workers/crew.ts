// Starts workers as a user does, and runs a scenario on them, for the tests of load from several machines.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import type { Completed, Result } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { treeOf } from '../../../harness/process/process-tree.ts';
import { prepare, run } from '../../../harness/run/run.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import type { Progress } from '../../../harness/trial/stage.ts';
import { openLobby } from '../../../harness/workers/join.ts';
import { start, temporaryFolder, type Running } from '../../cli/tools.ts';
import { completed } from '../../fake/run.ts';
import { startRedis, type RedisServer } from '../../servers/webhook/redis/redis-server.ts';

export const newToken = () => randomBytes(16).toString('hex');

/** A Redis of the test's own. */
export async function redisOf(t: TestContext): Promise<RedisServer> {
  const redis = await startRedis();
  t.onTestFinished(() => redis.stop().catch(() => {}));
  return redis;
}

/** A worker that waits for runs. */
export async function workerOf(
  t: TestContext,
  url: string,
  token: string,
  more: readonly string[] = [],
  command?: [string, ...string[]],
): Promise<Running> {
  const args = ['worker', '--join', url, '--token', token, ...more];
  const worker = command ? start(args, temporaryFolder(t), command) : start(args, temporaryFolder(t));
  t.onTestFinished(() => endWorker(worker));
  await worker.saw(/Waiting at .* for runs/);
  return worker;
}

/** Ends a worker, whatever stands in front of its process. */
export async function endWorker({ child, ended }: Running): Promise<void> {
  for (const pid of treeOf(child.pid!).toReversed()) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended with another.
    }
  }
  await ended;
}

export type Small = { measure?: string; subscribers?: number; rate?: number; more?: string };

export const yamlOf = ({ measure = '3s', subscribers = 40, rate = 40, more = '' }: Small = {}): string =>
  `question: Do workers make the load?
subscribers: ${subscribers}
topics: { news: { publish: ${rate}/s } }
phases: { connect: 300ms, warmup: 300ms, measure: ${measure}, drain: 2s }
variants: [sse]
${more}
`;

export type OnWorkers = Small & {
  count: number;
  token: string;
  hosts?: readonly string[];
  /** That so many workers of one machine need. */
  ports?: (workers: number) => number;
  host?: string;
  waitMs?: number;
  /** Told how far the run is. */
  progress?: (progress: Progress) => void;
};

/** Runs a small scenario on workers, as `pushbench run --workers` does. */
export async function runOnWorkers(url: string, options: OnWorkers): Promise<Result> {
  const { count, token, waitMs, host, hosts = ['127.0.0.1'], ports = () => 0 } = options;
  const { progress = () => {} } = options;
  const { signal } = new AbortController();
  const lobby = await openLobby(url, token, signal, waitMs);
  try {
    const { scenario, source } = parseScenario(yamlOf(options), {
      file: 'workers.yaml',
      registry: patterns,
      overrides: [],
    });
    const workers = await lobby.join(count, { hosts, descriptors: 100, ports, note() {} }, signal);
    try {
      const fleet = { ...processes, load: workers.load, ...(host !== undefined && { host }) };
      const observer = { trialStarted() {}, progress, trialEnded() {} };
      const given = { registry: patterns, folder: '.', source, command: '', observer, signal };
      const plan = prepare(scenario, { ...given, workers: { count, away: false }, fleet });
      return await run(plan, { ...given, fleet });
    } finally {
      await workers.close();
    }
  } finally {
    lobby.close();
  }
}

/** The one trial, with its warnings' codes. Its ledger must account for every delivery that was expected. */
export function accounted(result: Result): { trial: Completed; codes: string[] } {
  const trial = completed(result, 0);
  const { expected, delivered, missed, unreported = 0, published } = trial.ledger;
  assert.equal(delivered + missed + unreported, expected, JSON.stringify(trial.ledger));
  assert.equal(expected, published * trial.subscribers, 'every subscriber follows the one topic');
  return { trial, codes: result.trials[0]!.warnings.map(({ code }) => code) };
}

/** All keys of a Redis, and the names of pushbench's connections to it. */
export async function leftIn({
  url,
}: Pick<RedisServer, 'url'>): Promise<{ keys: string[]; clients: string[] }> {
  const redis = new Redis(url);
  const clients = String(await redis.client('LIST')).matchAll(/ name=(pushbench-\S+)/g);
  const left = { keys: await redis.keys('*'), clients: [...clients].map(([, name]) => name!) };
  redis.disconnect();
  return left;
}

/** The keys of a Redis that stay for ever, among all that are there. */
export async function endlessIn({
  url,
}: Pick<RedisServer, 'url'>): Promise<{ endless: string[]; keys: string[] }> {
  const redis = new Redis(url);
  const keys = await redis.keys('*');
  const leftMs = await Promise.all(keys.map((key) => redis.pttl(key)));
  redis.disconnect();
  return { endless: keys.filter((_, i) => leftMs[i] === -1), keys };
}
