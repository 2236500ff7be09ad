// How long until the command line answers.

import { spawnSync } from 'node:child_process';
import { median } from './tools.ts';

export async function main(): Promise<void> {
  const ms = Array.from({ length: 7 }, () => {
    const from = performance.now();
    spawnSync(process.execPath, ['cli/main.ts', '--help'], { stdio: 'ignore' });
    return performance.now() - from;
  });
  console.log(`pushbench --help: ${Math.round(median(ms))} ms, median of 7 (bound: 300 ms)`);
}
