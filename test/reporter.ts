// Prints the end of a test run: the skipped tests with their reasons, then one line, such as
// `2859 passed, 0 failed, 3 skipped`. vitest's own reporter prints the rest.

import process from 'node:process';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** vitest takes up to ten seconds to end by itself. */
const leftMs = 30_000;

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
          const state = stateOf(test);
          // Tests that `-t` leaves out are skipped ones to vitest, too.
          if (state === 'pending' || (state === 'skipped' && isLeftOut(test, vitest))) continue;
          count[state]++;
          if (state !== 'skipped') continue;
          const reason = reasonOf(test) ?? 'without a reason';
          reasons.set(reason, [
            ...(reasons.get(reason) ?? []),
            `${module.relativeModuleId} > ${test.fullName}`,
          ]);
        }
      }
      for (const [reason, tests] of reasons)
        console.log(`Skipped: ${reason}\n${tests.map((test) => `  ${test}\n`).join('')}`);
      const line = `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`;
      if (vitest.config.watch) return console.log(line);
      process.once('exit', () => {
        if (count.passed + count.failed === 0) process.exitCode = 1;
        console.log(line);
      });
      // What a test has started and left holds its output open, and with it this process.
      setTimeout(() => {
        console.error(
          'Something that a test started is still running ' + `${leftMs / 1000} s after the last test.`,
        );
        process.exit(1);
      }, leftMs).unref();
    },
  };
}

/** A test that did not run because a hook before it failed has failed. */
function stateOf(test: TestCase) {
  const { state } = test.result();
  return state === 'skipped' && reasonOf(test) === undefined && isBroken(test.parent) ? 'failed' : state;
}

function isLeftOut(test: TestCase, { config }: Vitest): boolean {
  return config.testNamePattern !== undefined && reasonOf(test) === undefined;
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}

/** Whether the file or describe, or one around it, failed outside of its tests: at import, or in a hook. */
function isBroken(part: TestCase['parent']): boolean {
  return part.errors().length > 0 || (part.type === 'suite' && isBroken(part.parent));
}

function brokenParts(module: TestModule): number {
  return [module, ...module.children.allSuites()].filter((part) => part.errors().length > 0).length;
}
