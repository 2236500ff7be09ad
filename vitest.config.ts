// Decides how the tests run: how many files at a time, of which kind, and what is printed.

import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { lastLine } from './test/reporter.ts';

/**
 * Files that start browsers, other people's servers, or whole runs of four busy processes. Two of them
 * run at a time, when the files that need no more than their own process have ended. They wait more than they
 * compute, look at what they started themselves and at nothing else, and assert nothing that a busy machine
 * changes.
 */
const heavy = [
  // Whole runs of the command line and of the workflow.
  'test/cli/**/*.test.ts',
  'test/**/ci-workflow.test.ts',
  // Programs of the documentation, a process each.
  'test/docs/receive-webhooks.test.ts',
  // Trials over real processes, and how processes end.
  'test/bench/**/*.test.ts',
  'test/harness/**/child.test.ts',
  'test/harness/**/freeze.test.ts',
  'test/harness/**/peer-end.test.ts',
  'test/harness/**/real-pair.test.ts',
  'test/harness/**/recovery.test.ts',
  'test/harness/**/saturate.test.ts',
  'test/harness/**/standstill.test.ts',
  'test/harness/cluster/{real-servers,network,brokers}.test.ts',
  'test/harness/workers/{workers,join,lost,namespaces,channel,queues,redis-link}.test.ts',
  'test/harness/**/{target,target-check,too-large,command-server}.test.ts',
  'test/scenarios/*.test.ts',
  // A real browser.
  'test/**/accessibility.test.ts',
  'test/**/browser-pages.test.ts',
  'test/**/chart-script.test.ts',
  'test/**/chromium.test.ts',
  'test/reports/**/comparison.test.ts',
  'test/**/dashboard.test.ts',
  'test/**/event-source.test.ts',
  'test/**/serve-page.test.ts',
  // Other people's servers: Redis, NATS, what stands in for Kafka, nginx, HAProxy.
  'test/contract/brokers.test.ts',
  'test/servers/brokers/*.test.ts',
  'test/servers/kafka/closing.test.ts',
  'test/**/{haproxy,haproxy-check,haproxy-config,haproxy-idle,sticky}.test.ts',
  'test/**/kills.test.ts',
  'test/servers/webhook/{redis,sqs,kafka}/*.test.ts',
  'test/servers/webhook/restart.test.ts',
  'test/**/nchan.test.ts',
  'test/**/proxy.test.ts',
  // Disks that are mounted and filled.
  'test/**/full-disk.test.ts',
  'test/**/store-file.test.ts',
];

/**
 * Files that run one at a time, at the end: what they look at depends on what else takes cores and memory.
 */
const alone = [
  // Bodies that take hundreds of megabytes.
  'test/**/largest-body.test.ts',
  'test/harness/**/process-tree.test.ts',
  'test/servers/**/half-open.test.ts',
  'test/servers/**/http2-floods.test.ts',
];

for (const glob of [...heavy, ...alone])
  if (globSync(glob, { cwd: import.meta.dirname }).length === 0)
    throw new Error(`vitest.config.ts: no test file is called ${glob} any more; correct the list`);

export default defineConfig({
  test: {
    // Node imports the files itself, as in production: types are stripped, nothing is
    // bundled. A process each.
    pool: 'forks',
    experimental: { viteModuleRunner: false },
    // A test has no limit but the one against hanging for ever; a slow machine is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Of the cases of one file that are independent: they wait for most of their time.
    maxConcurrency: 10,
    // Hooks run in the order in which they are written.
    sequence: { hooks: 'list' },
    // A spy lasts for one test.
    restoreMocks: true,
    // One line for a file; what tests print is shown where they fail.
    silent: 'passed-only',
    slowTestThreshold: 10_000,
    reporters: [['default', { summary: false }], lastLine()],
    projects: [
      {
        extends: true,
        test: {
          name: 'parallel',
          include: ['test/**/*.test.ts'],
          exclude: [...heavy, ...alone],
          // Many of them wait for timers and sockets.
          maxWorkers: availableParallelism() + 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'heavy', include: heavy, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
