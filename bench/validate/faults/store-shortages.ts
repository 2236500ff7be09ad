// Takes space and memory away from the stores of webhook deliveries while events are published: what was
// refused exists nowhere, what was taken is delivered, and the sequence has no gap. Then there is space
// again, and all goes on.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBroker } from './broker.ts';
import type { Miss } from './judge.ts';
import type { Shortage } from './shortage.ts';
import type { Space } from './space.ts';
import {
  conclude,
  judgeStore,
  publish,
  serveWebhooks,
  startReceiver,
  type Answer,
  type StoreSeen,
} from './webhook-server.ts';

const posts = 60;
/** So few that no endpoint falls behind by more than `server.slowBuffer`, which would disable it. */
const atOnce = 6;
const padBytes = 60_000;
const postsAfterwards = 3;
/** A store that is full has to say so; how soon is not the question here. */
const answerLimitMs = 10_000;

export const storeShortages: readonly Shortage[] = [
  { name: 'webhook store on a full disk (SQLite on a tmpfs of 2 MB)', needs: ['root'], run: onSqlite },
  { name: 'webhook store without memory (Redis, maxmemory of 4 MB)', needs: ['redis'], run: onRedis },
];

async function onSqlite(space: Space): Promise<Miss[]> {
  const disk = space.mount('store', 2 * 1024 ** 2);
  return refusals(space, ['store=sqlite', `file=${join(disk, 'store.db')}`], () =>
    space.remount(disk, `size=${64 * 1024 ** 2}`),
  );
}

async function onRedis(space: Space): Promise<Miss[]> {
  const broker = await startBroker(space, ['--maxmemory', '4mb']);
  const port = new URL(broker.url).port;
  const give = () => void spawnSync('redis-cli', ['-p', port, 'config', 'set', 'maxmemory', '256mb']);
  return refusals(space, ['store=redis', `redis=${broker.url}`], give, () => broker.stop());
}

async function refusals(
  space: Space,
  options: readonly string[],
  give: () => void,
  last: () => Promise<void> = async () => {},
): Promise<Miss[]> {
  const receiver = await startReceiver();
  const server = await serveWebhooks(space, options, receiver);
  const answers: Answer[] = [];
  for (let i = 0; i < posts; i += atOnce) {
    const wave = Array.from({ length: atOnce }, (_, k) => publish(server.url, `post-${i + k + 1}`, padBytes));
    answers.push(...(await Promise.all(wave)));
  }
  await sleep(500);
  give();
  await sleep(500);
  for (let i = 1; i <= postsAfterwards; i++) answers.push(await publish(server.url, `afterwards-${i}`));
  const stopped = server.command.ended.then(last);
  const seen = await conclude(space, server, receiver, answers);
  await stopped;
  return judgeRefusals({
    ...seen,
    left: { ...seen.left, processes: seen.left.processes.filter((one) => !one.includes('redis-server')) },
  });
}

/** Pure. */
export function judgeRefusals(seen: StoreSeen): Miss[] {
  const misses = judgeStore(seen, answerLimitMs);
  const refused = seen.answers.filter(({ status }) => status !== 201).length;
  if (refused === 0) misses.push({ aspect: 'account', text: 'nothing was refused, so nothing was shown' });
  const afterwards = seen.answers.filter(
    ({ key, status }) => key.startsWith('afterwards-') && status === 201,
  ).length;
  if (afterwards < postsAfterwards)
    misses.push({
      aspect: 'account',
      text: `with space again ${afterwards} of ${postsAfterwards} publications were taken`,
    });
  return misses;
}
