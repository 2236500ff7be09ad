// Decides how the tests run: which files may run beside others and which run alone, and what is printed.

import { defineConfig } from 'vitest/config';
import { lastLine } from './test/reporter.ts';

/**
 * Files that run one at a time, when all others have ended: what they look at is shared by the whole machine.
 */
const alone = [
  // Whole runs of the command line and of the workflow: up to four processes each, and
  // verdicts on what they measured.
  'test/cli/**',
  'test/ci-workflow.test.ts',
  // Runs that are killed, stopped and starved; leftovers are looked for among all processes of the machine.
  'test/bench/**',
  'test/harness/**',
];

export default defineConfig({
  test: {
    // Files are imported by Node itself, as in production: types stripped, no bundler in
    // between, one process per file.
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
    // What tests print is shown where they fail.
    silent: 'passed-only',
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
          include: alone.map((glob) => glob.replace(/\/\*\*$/, '/**/*.test.ts')),
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
