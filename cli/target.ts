// Implements `pushbench target check`: says what works of a target file, and what to fix.

import { styleText } from 'node:util';
import { topicPattern } from '../core/event/envelope.ts';
import { exitCodes, Interruption, UserError, type ExitCode } from '../core/base/errors.ts';
import { oneLine } from '../core/base/printable.ts';
import { processes } from '../harness/trial/fleet.ts';
import { treeOf } from '../harness/process/process-tree.ts';
import { checkTarget, type Finding } from '../harness/target/check.ts';
import { openTarget } from '../harness/target/open.ts';
import { print } from './print.ts';
import { onSignals } from './signals.ts';

/** @returns 0 when every pattern that the file describes works, 1 when not */
export async function targetCheckCommand(file: string, { topic }: { topic: string }): Promise<ExitCode> {
  if (!topicPattern.test(topic))
    throw new UserError('topic', `--topic "${topic}" is not a topic: 1 to 128 letters, digits and . _ : ~ -`);
  const target = openTarget(file, process.env);
  const { name, url, pid, notes } = target;
  const count = pid === undefined ? 0 : treeOf(pid).length;
  print(`${name} at ${url}`);
  print(
    pid === undefined
      ? '  no process named: CPU, memory and descriptors will not be measured'
      : `  process ${pid}${count > 1 ? ` and ${count - 1} below it` : ''}: ` +
          'CPU, memory and descriptors will be measured',
  );
  for (const note of notes) print(`  ${note}`);
  const stop = new AbortController();
  const release = onSignals(stop, () => {});
  let findings: Finding[];
  try {
    findings = await checkTarget(target, topic, processes, stop.signal);
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    console.error(`${error.message}: not checked to the end.`);
    return exitCodes.interrupted;
  } finally {
    release();
  }
  const width = Math.max(...findings.map(({ pattern = '' }) => pattern.length));
  for (const { pattern = '', works, message, hint } of findings) {
    const mark = works
      ? styleText('green', '✓', { stream: process.stdout })
      : styleText('red', '✗', { stream: process.stdout });
    // The mark is coloured.
    console.log(`  ${mark} ${pattern.padEnd(width)}${pattern && '  '}${oneLine(message)}`);
    if (hint !== undefined) print(`    ${''.padEnd(width)}${oneLine(hint)}`);
  }
  return findings.every(({ works }) => works) ? exitCodes.ok : exitCodes.expectation;
}
