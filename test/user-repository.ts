// Makes the git repository of a user's app for tests: an SSE feed that holds events back, with the target
// file and the scenario that go with it, a commit for each time that it is held.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { holdingApp } from './fake/holding-app.ts';

export type UserRepository = {
  folder: string;
  port: number;
  git(...args: string[]): string;
  write(path: string, text: string, mode?: number): void;
  /** @returns the full name of the commit */
  commit(subject: string): string;
  /** A commit in which the app holds each event back for so long. */
  held(ms: number, subject?: string): string;
};

export async function userRepository(folder: string): Promise<UserRepository> {
  const port = await freePort();
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode });
  };
  const commit = (subject: string) => {
    git('add', '.');
    git('commit', '--quiet', '--allow-empty', '--message', subject);
    return git('rev-parse', 'HEAD');
  };
  git('init', '--quiet', '--initial-branch', 'main');
  const about = { name: 'app', version: '1.0.0' };
  write('package.json', JSON.stringify({ ...about, private: true }));
  write('package-lock.json', JSON.stringify({ ...about, lockfileVersion: 3, packages: { '': about } }));
  write('.gitignore', 'node_modules\nresults\n');
  write(
    'bench/app.yaml',
    `name: app\nurl: http://127.0.0.1:${port}\npublish: /feed/{topic}\n` +
      "subscribe: { sse: '/feed/{topic}' }\n",
  );
  // Only the median gates, so that the noise of short trials on a small machine decides nothing.
  write(
    'bench/delivery.yaml',
    'question: Does it get slower?\nsubscribers: 10\ntopics: { news: { publish: 30/s } }\n' +
      'phases: { connect: 100ms, warmup: 200ms, measure: 1s, drain: 1s }\nvariants: [sse]\n' +
      'gate: { latency.p90: off, server-cpu-per-delivery: off }\n',
  );
  return {
    folder,
    port,
    git,
    write,
    commit,
    held(ms, subject = `holds ${ms} ms`) {
      write('your-app.mjs', holdingApp(port, ms));
      return commit(subject);
    },
  };
}

async function freePort(): Promise<number> {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const address = free.address();
  free.close();
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server has an address');
  return address.port;
}
