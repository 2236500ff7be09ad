// Ends the output of a test run: the skipped tests with their reasons, then one line
// `N passed, N failed, N skipped`. vitest's own reporter stands beside it and prints the rest.

import process from 'node:process';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** A reporter for vitest.config.ts. It makes a run fail in which no test ran. */
export function lastLine(): Reporter {
  let vitest: Vitest;
  return {
    onInit(started) {
      vitest = started;
    },
    onTestRunEnd(modules, unhandledErrors) {
      const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
      const reasons = new Map<string, string[]>();
      for (const module of modules) {
        count.failed += brokenParts(module);
        for (const test of module.children.allTests()) {
          const result = test.result();
          if (result.state === 'pending') continue;
          // Tests that `-t` leaves out are skipped ones to vitest, too.
          if (result.state === 'skipped' && !result.note && vitest.config.testNamePattern) continue;
          count[result.state]++;
          if (result.state !== 'skipped') continue;
          const reason = result.note ?? 'without a reason';
          reasons.set(reason, [
            ...(reasons.get(reason) ?? []),
            `${module.relativeModuleId} > ${test.fullName}`,
          ]);
        }
      }
      for (const [reason, tests] of reasons)
        console.log(`Skipped: ${reason}\n${tests.map((test) => `  ${test}\n`).join('')}`);
      if (count.passed + count.failed === 0) {
        console.error('No test ran.');
        process.exitCode = 1;
      }
      console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    },
  };
}

/**
 * How many of a file and its describes failed outside of their tests: at import, or
 * in a hook for all of them.
 */
function brokenParts(module: TestModule): number {
  return [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0).length;
}
