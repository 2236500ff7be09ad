// Decides how the tests run: which files may run beside others and which run alone, and what is printed.

import { globSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { lastLine } from './test/reporter.ts';

/**
 * Files that run one at a time, when all others have ended. The others assert nothing about time, and nothing
 * that another process of the machine can change.
 */
const alone = [
  // Whole runs of the command line and of the workflow: up to four busy processes each.
  'test/cli/**/*.test.ts',
  'test/**/ci-workflow.test.ts',
  // Runs that are killed, stopped and starved; what they leave is looked for on the whole machine.
  'test/bench/**/*.test.ts',
  // Trials over real processes; how a process ends and what it takes of the machine.
  'test/harness/**/child.test.ts',
  'test/harness/**/freeze.test.ts',
  'test/harness/**/peer-end.test.ts',
  'test/harness/**/process-tree.test.ts',
  'test/harness/**/saturate.test.ts',
  'test/harness/**/standstill.test.ts',
  'test/harness/**/target.test.ts',
  'test/harness/**/target-check.test.ts',
  'test/harness/**/too-large.test.ts',
  // Bodies that take hundreds of megabytes.
  'test/**/largest-body.test.ts',
  'test/servers/**/half-open.test.ts',
  'test/servers/**/http2-floods.test.ts',
  // A real browser, which takes a core for itself.
  'test/**/accessibility.test.ts',
  'test/**/browser-pages.test.ts',
  'test/**/chromium.test.ts',
  'test/reports/**/comparison.test.ts',
  'test/**/dashboard.test.ts',
  'test/**/event-source.test.ts',
  // Other people's servers: Redis, nginx.
  'test/**/kills.test.ts',
  'test/**/redis.test.ts',
  'test/**/redis/faults.test.ts',
  'test/**/redis/outages.test.ts',
  'test/**/redis/several-servers.test.ts',
  'test/servers/webhook/restart.test.ts',
  'test/**/nchan.test.ts',
  'test/**/proxy.test.ts',
  // Disks that are mounted and filled.
  'test/**/full-disk.test.ts',
  'test/**/store-file.test.ts',
];

for (const glob of alone)
  if (globSync(glob, { cwd: import.meta.dirname }).length === 0)
    throw new Error(
      `vitest.config.ts: no test file is called ${glob} any more; mend the list of those that run alone`,
    );

export default defineConfig({
  test: {
    // Node imports the files itself, as in production: types are stripped, nothing is
    // bundled. A process per file.
    pool: 'forks',
    experimental: { viteModuleRunner: false },
    // A test has no limit but the one against hanging for ever; a slow machine is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: '100%',
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
          exclude: alone,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
